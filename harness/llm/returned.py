"""A model's own reasoning on its way back to it: takes what a reply kept, gives the fields of its chat message.

Anthropic refuses calls whose signed thinking is missing, DeepSeek calls without their reasoning; others refuse the very
field, which is why a request can be had without it. Never makes up or changes a word of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.llm.base import Message
from harness.schema.calls import Thinking

UNSIGNED = "reasoning_content"
SIGNED, SEALED = "thinking_blocks", "reasoning_items"


def returned(thinking: Sequence[Thinking], reasoning: str) -> dict[str, Any]:
    """Fields of an assistant's message: what was signed or sealed, else the plain text."""
    blocks = [one.block for one in thinking if one.type != "reasoning"]
    items = [one.block for one in thinking if one.type == "reasoning"]
    signed: dict[str, Any] = {name: given for name, given in ((SIGNED, blocks), (SEALED, items)) if given}
    return signed or ({UNSIGNED: reasoning} if reasoning else {})


def has_unsigned(messages: Sequence[Message]) -> bool:
    """Whether any message has reasoning that nobody signed."""
    return any(UNSIGNED in one for one in messages)


def without_unsigned(messages: Sequence[Message]) -> list[Message]:
    """The messages without reasoning that nobody signed."""
    return [{name: value for name, value in one.items() if name != UNSIGNED} for one in messages]
