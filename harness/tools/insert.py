"""insert: put new lines after a line; rejected like an edit when a Python file no longer parses."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState
from harness.tools.changing import CAP_BYTES, Change, Lines, change, new_lines
from harness.tools.looking import Unseen


class InsertArguments(Arguments):
    """Where, and what."""

    line: int = Field(ge=0, le=10**12, description="the new lines come after this line; 0: at the top")
    text: str = Field(min_length=1, max_length=CAP_BYTES, description="the new lines, whole")
    path: str = Field(default="", max_length=4096, description="a workspace file; left out: the open file")


def _run(state: ToolState, asked: InsertArguments) -> ToolResult:
    def inserted(lines: Lines) -> Change:
        if asked.line > len(lines):
            raise Unseen(f"there is no line {asked.line}: the file has {len(lines)} lines")
        above = lines[: asked.line]
        if above and not above[-1].endswith(b"\n"):
            above[-1] += b"\n"
        new = new_lines(asked.text, lines)
        return Change(above + new + lines[asked.line :], asked.line + 1, len(new))

    return change(state, asked.path, inserted)


TOOL = Tool("insert", "Put text as new lines after a line of a workspace file.", InsertArguments, _run)
