"""The host's side of looker.py: one question to the sandbox's files, and the answer made harmless.

Takes a ToolState and a question, gives the answer's fields or Unseen. What comes back was written by the agent's user:
it is content to show, believed in nothing else. Never opens a file itself.
"""

from __future__ import annotations

import json
import secrets
import shlex
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import GymboardError
from harness.schema.document import read_json
from harness.tools.base import ToolResult, ToolState, View, refused

PROGRAM = Path(__file__).with_name("looker.py").read_text(encoding="utf-8")
PYTHON = "PATH=$PATH:/usr/local/bin:/usr/bin:/bin; builtin exec python3 -I -S -c"
LIMIT_S = 60.0
LINES = 100
OVERLAP = 2
SHOWN_AS_CODE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Unseen(GymboardError):
    """Why there is nothing to show, in words for the agent."""


def visible(text: str) -> str:
    """Controls, escapes, directions and other invisible characters by their code, so that none acts or hides."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"<U+{ord(char):04X}>" if char != "\t" and unicodedata.category(char) in SHOWN_AS_CODE else char
        for char in text
    )


def ask(state: ToolState, op: str, path: str, **question: Any) -> Mapping[str, Any]:
    """Run looker.py in the sandbox. Raises Unseen with the reason."""
    mark = secrets.token_hex(8)
    request = json.dumps({"root": state.box.workspace, "mark": mark, "op": op, "path": path, **question})
    ran = state.box.exec(f"({PYTHON} {shlex.quote(PROGRAM)} {shlex.quote(request)})", LIMIT_S)
    said = [line[len(mark) :] for line in ran.stdout.split("\n") if line.startswith(mark)]
    answer, faults = read_json(said[-1]) if said else (None, [])
    if not said or faults:
        why = ran.note or (ran.stderr or ran.stdout)[-300:].strip() or f"exit code {ran.exit_code}"
        raise Unseen(f"the files could not be looked at: {visible(why)}") from None
    if not isinstance(answer, dict):
        raise Unseen("the files could not be looked at: an answer that is none")
    if "refused" in answer:
        raise Unseen(f"{visible(str(answer.get('path', path)))!s}: {visible(str(answer['refused']))}")
    return answer


def look(state: ToolState, path: str, first: int, note: str = "") -> ToolResult:
    """Show the lines from `first` on and remember them as the view."""
    try:
        answer = ask(state, "window", path, first=first, count=LINES)
        text, view = _window(answer)
    except Unseen as why:
        return refused(str(why))
    except (KeyError, TypeError, ValueError):
        return refused(f"{path}: the files could not be looked at: an answer without its parts")
    state.view = view
    return ToolResult(f"{note}\n{text}" if note else text)


def _window(answer: Mapping[str, Any]) -> tuple[str, View]:
    lines, first, total = [str(line) for line in answer["lines"]], int(answer["first"]), int(answer["total"])
    path, last = str(answer["path"]), first + len(lines) - 1
    about = f"{total} lines" if answer["whole"] else f"more than {total} lines"
    head = f"[{visible(path)}: {about}, {int(answer['bytes'])} bytes]"
    if not lines:
        return f"{head}\n(empty)", View(path, 1, 0)
    below = f"({total - last} more lines below)" if answer["whole"] else "(more lines below)"
    parts = [head, f"({first - 1} more lines above)" if first > 1 else "", numbered(lines, first)]
    return "\n".join(filter(None, [*parts, below if last < total else ""])), View(path, first, last)


def numbered(lines: list[str], first: int) -> str:
    """Lines with their numbers, made visible."""
    return "\n".join(f"{number}: {visible(line)}" for number, line in enumerate(lines, start=first))
