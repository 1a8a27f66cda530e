"""edit: replace a range of lines; an edit that breaks a Python file's syntax is rejected and shown."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState
from harness.tools.changing import CAP_BYTES, Change, Lines, change, new_lines
from harness.tools.looking import Unseen


class EditArguments(Arguments):
    """Which lines, and what stands there afterwards."""

    start: int = Field(ge=1, le=10**12, description="first line to replace, counted from 1")
    end: int = Field(ge=1, le=10**12, description="last line to replace, itself included")
    text: str = Field(max_length=CAP_BYTES, description="the new lines, whole; an empty text deletes the range")
    path: str = Field(default="", max_length=4096, description="a workspace file; left out: the open file")


def _run(state: ToolState, asked: EditArguments) -> ToolResult:
    def replaced(lines: Lines) -> Change:
        if not asked.start <= asked.end <= len(lines):
            raise Unseen(f"lines {asked.start} to {asked.end} are no range of this file: it has {len(lines)} lines")
        new = new_lines(asked.text, lines)
        kept = lines[asked.end :]
        if not kept and new and not lines[-1].endswith(b"\n"):
            new[-1] = new[-1].rstrip(b"\r\n")
        return Change(lines[: asked.start - 1] + new + kept, asked.start, len(new))

    return change(state, asked.path, replaced)


TOOL = Tool(
    "edit",
    "Replace lines start to end (both included) of a workspace file by text, with its exact indentation. An edit after "
    "which a .py file no longer parses is not made, and you are shown why. Line numbers shift after each edit.",
    EditArguments,
    _run,
)
