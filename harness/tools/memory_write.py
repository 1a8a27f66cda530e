"""memory_write: keep a note beyond what the model is shown."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, FiniteFloat, field_validator

from harness.memory.notes import Note, Unusable
from harness.tools.base import Arguments, Tool, ToolResult, ToolState, refused
from harness.tools.looking import Unseen
from harness.tools.remembering import counted, memory_of

CONFIG_CHARS = 4000
Name = Annotated[str, Field(min_length=1, max_length=64)]


def _words(value: object) -> object:
    """A list, or words separated by commas."""
    if not isinstance(value, str):
        return value
    return [word.strip() for word in value.split(",") if word.strip()]


def _json(value: object) -> object:
    """An object, or its JSON text; an empty one is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "{}")
    except (ValueError, RecursionError):
        raise ValueError("is neither a JSON object nor the text of one") from None


class MemoryWriteArguments(Arguments):
    """A note."""

    text: str = Field(min_length=1, max_length=4000, description="what to remember, understandable on its own")
    tags: Annotated[tuple[Name, ...], BeforeValidator(_words)] = Field(
        default=(), max_length=16, description="words to find it by"
    )
    scores: Annotated[dict[Name, FiniteFloat], BeforeValidator(_json)] = Field(
        default={}, max_length=16, description="what was measured, as a JSON object of numbers"
    )
    config: Annotated[dict[str, Any], BeforeValidator(_json)] = Field(
        default={}, max_length=64, description="with which settings, as a JSON object"
    )

    @field_validator("config")
    @classmethod
    def _short(cls, value: dict[str, Any]) -> dict[str, Any]:
        try:
            size = len(json.dumps(value, allow_nan=False))
        except (ValueError, TypeError, RecursionError):
            raise ValueError("holds what is no JSON") from None
        if size > CONFIG_CHARS:
            raise ValueError(f"is longer than {CONFIG_CHARS} characters as JSON")
        return value


def _run(state: ToolState, asked: MemoryWriteArguments) -> ToolResult:
    note = Note(asked.text, tuple(dict.fromkeys(asked.tags)), dict(asked.scores), dict(asked.config))
    try:
        total = memory_of(state).write(note)
    except (Unseen, Unusable) as why:
        return refused(f"not written: {why}")
    return ToolResult(f"written; the memory has {counted(total)}")


TOOL = Tool(
    "memory_write",
    "Keep a note for later: what was tried, its scores, its settings, what it taught. It stays when the record of your "
    "work is shortened.",
    MemoryWriteArguments,
    _run,
    aid="memory",
)
