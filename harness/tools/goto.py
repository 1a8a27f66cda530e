"""goto: show the open file around a line."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import LINES, look

ABOVE = LINES // 5
NOTHING_OPEN = "no file is open; call open first"


class GotoArguments(Arguments):
    """Which line."""

    line: int = Field(ge=1, le=10**12, description="line to go to")


def _run(state: ToolState, asked: GotoArguments) -> ToolResult:
    if state.view is None:
        return refused(NOTHING_OPEN)
    return look(state, state.view.path, max(1, asked.line - ABOVE))


TOOL = Tool("goto", f"Show the open file around a line: {ABOVE} lines above it, the rest below.", GotoArguments, _run)
