"""One paid call of a model, as the journal of an episode keeps it (calls.jsonl): what was asked, what came, its cost.

The journal is written before the reply is acted on, so a killed episode goes on without paying twice for an answer.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.schema.base import Line, Record, Sha256, Timestamp
from harness.schema.episode import Count, NonNegative, Usage

SIGNED_ID = "__thought__"
"""In a call's id, as litellm writes it for Gemini: behind it stands the signature of the thought that led there."""


class ReplyCall(Record):
    """A tool call of a reply. `arguments` is the model's own text: JSON when it kept its promise."""

    id: str
    name: str
    arguments: str

    @property
    def plain_id(self) -> str:
        """The id without a signature, for readers; the provider wants the whole one back."""
        return self.id.partition(SIGNED_ID)[0]


class Thinking(Record):
    """Reasoning that its provider signed or sealed: kept as it came, for the provider wants it back before the calls
    that it led to. Anthropic's two kinds of block, and the item of OpenAI's Responses (`thinking` is its summary,
    `data` what it has encrypted).
    """

    type: Literal["thinking", "redacted_thinking", "reasoning"]
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""

    @property
    def block(self) -> dict[str, Any]:
        """As the provider wrote it."""
        if self.type == "redacted_thinking":
            return {"type": self.type, "data": self.data}
        if self.type == "thinking":
            return {"type": self.type, "thinking": self.thinking, "signature": self.signature}
        summary = [{"type": "summary_text", "text": self.thinking}] if self.thinking else []
        item = {"type": self.type, "id": self.id, "summary": summary, "encrypted_content": self.data}
        return {name: value for name, value in item.items() if value != ""}


class Reply(Record):
    """What a model answered. `reasoning` is for readers; `thinking` is what goes back to the provider."""

    text: str = ""
    reasoning: str = ""
    thinking: tuple[Thinking, ...] = ()
    calls: tuple[ReplyCall, ...] = ()
    finish: str = Field(default="stop", description="stop, length, tool_calls, content_filter, ... as litellm names it")


class ModelCall(Record):
    """The measure of one call. Tokens by the provider's own counts, cost by the dated price table.

    `retries` counts requests that failed before this answer and were not paid. `cost_usd` None: no price is known.
    `lost`: the connection or this process ended before the whole answer came, so nobody here knows what it cost; the
    tokens are then 0 and the cost is the most that it can have been.
    """

    index: Count
    model: Line
    request_sha256: Sha256
    started: Timestamp
    duration_s: NonNegative
    input_tokens: Count = 0
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost_usd: NonNegative | None = None
    retries: Count = 0
    lost: bool = False


class JournalLine(Record):
    """One line of calls.jsonl. `id` is the call's name in the run's spending.jsonl."""

    id: Line
    call: ModelCall
    reply: Reply


def total(calls: tuple[ModelCall, ...] | list[ModelCall]) -> Usage:
    """The usage of an episode from its calls. The cost is left out when any call has no price."""
    costs = [call.cost_usd for call in calls]
    return Usage(
        input_tokens=sum(call.input_tokens for call in calls),
        cached_tokens=sum(call.cached_tokens for call in calls),
        cache_write_tokens=sum(call.cache_write_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        reasoning_tokens=sum(call.reasoning_tokens for call in calls),
        api_calls=len(calls),
        reported_cost_usd=sum(cost for cost in costs if cost is not None) if calls and None not in costs else None,
    )
