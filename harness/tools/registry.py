"""The tools that there are, by name, and the one call into them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from harness.tools import (
    create,
    edit,
    find_file,
    goto,
    insert,
    literature_search,
    memory_read,
    memory_write,
    open,
    read_pdf,
    scroll,
    search_dir,
    search_file,
)
from harness.tools.base import Aid, Tool, ToolResult, ToolState, refused

_MODULES = (
    *(open, goto, scroll, create, edit, insert, search_dir, search_file, find_file),
    *(memory_write, memory_read, literature_search, read_pdf),
)
TOOLS: Mapping[str, Tool[Any]] = {module.TOOL.name: module.TOOL for module in _MODULES}


def unknown(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """Words for a tool that is not there."""
    near = get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    return f"there is no tool {name[:100]!r}; {hint}"


def given(aids: Collection[Aid]) -> tuple[str, ...]:
    """The tools of a run with these aids; without any those for files."""
    return tuple(name for name, tool in TOOLS.items() if tool.aid is None or tool.aid in aids)


def needed_again(name: str) -> bool:
    """Whether a recorded call of this tool must be made again to rebuild what it changed."""
    return name not in TOOLS or TOOLS[name].again


def call(state: ToolState, name: str, arguments: Mapping[str, Any]) -> ToolResult:
    """Call one tool. Raises SandboxError when the sandbox is gone; a tool that pays also EpisodeOver and
    ModelUnavailable; every other fault is the result's text."""
    return TOOLS[name](state, arguments) if name in TOOLS else refused(unknown(name, TOOLS))
