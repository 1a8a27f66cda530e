"""search_file: lines of one file that have a text."""

from __future__ import annotations

from pydantic import Field

from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.goto import NOTHING_OPEN
from harness.tools.search_dir import search


class SearchFileArguments(Arguments):
    """What, and in which file."""

    term: str = Field(min_length=1, max_length=1000, pattern=r"^[^\n]*$", description="text to look for, as it stands")
    path: str = Field(default="", max_length=4096, description="a file; left out: the open file")


def _run(state: ToolState, asked: SearchFileArguments) -> ToolResult:
    path = asked.path or (state.view.path if state.view else "")
    return search(state, asked.term, path) if path else refused(NOTHING_OPEN)


TOOL = Tool("search_file", "Find the lines of one file that have a text.", SearchFileArguments, _run)
