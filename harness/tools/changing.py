"""Changing a file of the workspace: read whole, changed line by line, checked, written, shown around the change.

Takes a ToolState, a path and a change; gives what the agent is shown. A change that breaks the syntax of a Python
file which parsed before is not written. Reads by copy_out and writes by write, so no link is followed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import InvalidArtifact
from harness.tools.base import ToolResult, ToolState, View, refused
from harness.tools.lint import SyntaxFault, check_syntax
from harness.tools.looker import clipped
from harness.tools.looking import LINES, Unseen, numbered, visible

CAP_BYTES = 1 << 20
AROUND = 10
Lines = list[bytes]
"""A file's lines, each with its line end."""


@dataclass(frozen=True)
class Change:
    """New lines of a file, and which of them are new: `count` lines from line `first` on, counted from 1."""

    lines: Lines
    first: int
    count: int


def workspace_path(state: ToolState, path: str) -> str:
    """`path` relative to the workspace. Raises Unseen when it lies elsewhere."""
    root = state.box.workspace
    full = posixpath.normpath(posixpath.join(root, path))
    if not full.startswith(f"{root}/"):
        raise Unseen(f"{visible(path)}: only files in your workspace can be changed")
    return full[len(root) + 1 :]


def open_path(state: ToolState, path: str) -> str:
    """The file that a change is for: the one named, else the open one. Raises Unseen."""
    if not path and state.view is None:
        raise Unseen("no file is open; call open first, or give path")
    return workspace_path(state, path or (state.view.path if state.view else ""))


def read_lines(state: ToolState, path: str) -> Lines:
    """The lines of a workspace file. Raises Unseen with the reason."""
    try:
        data = state.box.copy_out([(path, CAP_BYTES)])[path]
    except InvalidArtifact as error:
        raise Unseen(f"{visible(path)} cannot be changed: {_reason(error)}") from None
    if b"\0" in data:
        raise Unseen(f"{visible(path)} cannot be changed: it is binary")
    return _split(data)


def new_lines(text: str, like: Sequence[bytes]) -> Lines:
    """`text` as whole lines, with the line ends of the file that it goes into."""
    data = text.encode()
    if like and like[0].endswith(b"\r\n"):
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if data and not data.endswith(b"\n"):
        data += b"\r\n" if like and like[0].endswith(b"\r\n") else b"\n"
    return _split(data)


def change(state: ToolState, path: str, make: Callable[[Lines], Change]) -> ToolResult:
    """Change a file of the workspace. `make` raises Unseen when the change does not fit the file."""
    try:
        name = open_path(state, path)
        before = read_lines(state, name)
        after = make(before)
        if fault := _new_fault(name, before, after.lines):
            return refused(_rejection(name, before, after, fault))
        write(state, name, b"".join(after.lines))
    except Unseen as why:
        return refused(str(why))
    shown, view = _around(name, after.lines, after.first, after.count)
    state.view = view
    return ToolResult(f"[{visible(name)}: changed, {len(after.lines)} lines now]\n{shown}")


def write(state: ToolState, path: str, data: bytes) -> None:
    """Write one workspace file. Raises Unseen with the reason."""
    try:
        state.box.write(path, data)
    except InvalidArtifact as error:
        raise Unseen(str(error)) from None


def syntax_fault(path: str, lines: Sequence[bytes]) -> SyntaxFault | None:
    """The first syntax error of a Python file; None for any other file."""
    return check_syntax(b"".join(lines)) if path.endswith(".py") else None


def shown_at(path: str, lines: Lines, line: int) -> str:
    """The lines around one line, numbered."""
    return _around(path, lines, max(1, line), 1)[0]


def _new_fault(path: str, before: Lines, after: Lines) -> SyntaxFault | None:
    fault = syntax_fault(path, after)
    return fault if fault and not syntax_fault(path, before) else None


def _rejection(path: str, before: Lines, after: Change, fault: SyntaxFault) -> str:
    would_be, _ = _around(path, after.lines, after.first, after.count)
    as_is, _ = _around(path, before, after.first, 1)
    return (
        f"{visible(path)} is not changed: the file would no longer be valid Python\n{visible(str(fault))}\n"
        f"[with your change it would be]\n{would_be}\n[it still is]\n{as_is}"
    )


def _around(path: str, lines: Lines, first: int, count: int) -> tuple[str, View]:
    """Lines about a change, and the view of them; the middle of a long change is left out."""
    low, high = max(1, first - AROUND), min(len(lines), first + count - 1 + AROUND)
    if not lines:
        return "(empty)", View(path, 1, 0)
    high = max(low, min(high, low + LINES - 1))
    shown = [clipped(line.rstrip(b"\r\n")) for line in lines[low - 1 : high]]
    more = f"\n({len(lines) - high} more lines below)" if high < len(lines) else ""
    return numbered(shown, low) + more, View(path, low, high)


def _split(data: bytes) -> Lines:
    """Lines by newline alone: a lone carriage return is part of its line, as an editor counts."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _reason(error: InvalidArtifact) -> str:
    return str(error).partition(" is refused: ")[2] or str(error)
