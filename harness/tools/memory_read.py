"""memory_read: the notes whose meaning is nearest to a question."""

from __future__ import annotations

from pydantic import Field

from harness.memory.notes import Unusable
from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import Unseen
from harness.tools.remembering import counted, memory_of, shown


class MemoryReadArguments(Arguments):
    """Which notes, and how many."""

    question: str = Field(min_length=1, max_length=2000, description="what you want to know")
    most: int = Field(default=3, ge=1, le=20, description="at most so many notes")
    tag: str = Field(default="", max_length=64, description="only notes with this tag; left out: all")


def _run(state: ToolState, asked: MemoryReadArguments) -> ToolResult:
    try:
        found = memory_of(state).read(asked.question, asked.most, asked.tag)
    except (Unseen, Unusable) as why:
        return refused(f"not read: {why}")
    if not found:
        return ToolResult("no note with this tag" if asked.tag else "the memory is empty")
    return ToolResult(f"[{counted(len(found))}, the nearest first]\n{shown(found)}")


TOOL = Tool("memory_read", "Find notes by their meaning, the nearest first.", MemoryReadArguments, _run, aid="memory")
