"""create: write a whole new file; a syntax error of a Python file is told, and the file is written all the same."""

from __future__ import annotations

import shlex

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, View, refused
from harness.tools.changing import CAP_BYTES, new_lines, shown_at, syntax_fault, workspace_path, write
from harness.tools.looking import LIMIT_S, LINES, Unseen, visible


class CreateArguments(Arguments):
    """Which file, and all of its text."""

    path: str = Field(min_length=1, max_length=4096, description="the new file, relative to the workspace")
    text: str = Field(default="", max_length=CAP_BYTES, description="its whole content")
    overwrite: bool = Field(default=False, description="true: replace a file that is there")


def _run(state: ToolState, asked: CreateArguments) -> ToolResult:
    lines = new_lines(asked.text, ())
    try:
        name = workspace_path(state, asked.path)
        if not asked.overwrite and _is_there(state, name):
            return refused(f"{visible(name)} is there already; edit it, or give overwrite = true")
        write(state, name, b"".join(lines))
    except Unseen as why:
        return refused(str(why))
    state.view = View(name, 1, min(LINES, len(lines)))
    said = f"[{visible(name)}: written, {len(lines)} lines]"
    if fault := syntax_fault(name, lines):
        said += f"\nIt is not valid Python yet: {visible(str(fault))}\n{shown_at(name, lines, fault.line)}"
    return ToolResult(said)


def _is_there(state: ToolState, name: str) -> bool:
    path = shlex.quote(f"{state.box.workspace}/{name}")
    return state.box.exec(f"[ -e {path} ] || [ -L {path} ]", LIMIT_S).exit_code == 0


TOOL = Tool(
    "create",
    "Write a whole new file of the workspace, folders on the way included. It becomes the open file.",
    CreateArguments,
    _run,
)
