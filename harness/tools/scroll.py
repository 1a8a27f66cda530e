"""scroll: show the next or the previous window of the open file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.goto import NOTHING_OPEN
from harness.tools.looking import LINES, OVERLAP, look


class ScrollArguments(Arguments):
    """Which way."""

    direction: Literal["down", "up"] = Field(default="down", description="down (towards the end) or up")


def _run(state: ToolState, asked: ScrollArguments) -> ToolResult:
    if state.view is None:
        return refused(NOTHING_OPEN)
    down = max(state.view.first + 1, state.view.last - OVERLAP + 1)
    up = max(1, state.view.first - LINES + OVERLAP)
    return look(state, state.view.path, down if asked.direction == "down" else up)


TOOL = Tool("scroll", "Show the next lines of the open file, or the ones before.", ScrollArguments, _run)
