"""open: show a window of a file, which becomes the open file of goto, scroll, edit and insert."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState
from harness.tools.looking import LINES, look


class OpenArguments(Arguments):
    """Which file, and from which line on."""

    path: str = Field(min_length=1, max_length=4096, description="a file; relative to the workspace, or absolute")
    line: int = Field(default=1, ge=1, le=10**12, description="first line to show")


def _run(state: ToolState, asked: OpenArguments) -> ToolResult:
    return look(state, asked.path, asked.line)


TOOL = Tool(
    "open",
    f"Show {LINES} lines of a file with their numbers. It becomes the open file for goto, scroll, edit and insert.",
    OpenArguments,
    _run,
)
