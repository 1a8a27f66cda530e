"""What the scripted model server can be told to answer, one value a request.

Say: words and tool calls, with the provider's usage counts. Refuse: an error answer with the providers' own bodies.
Cut: the connection ends without an answer, or in the middle of one. Every value is plain data; models.py speaks it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Protocol = Literal["openai", "anthropic", "responses"]


@dataclass(frozen=True)
class Call:
    """One tool call. `arguments` is sent as it is: text that is no JSON is a malformed call (OpenAI's format can carry
    one; Anthropic's carries an object, so there the text stands in a field that no tool has)."""

    name: str
    arguments: Mapping[str, Any] | str
    id: str = ""

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Say:
    """An answer. Tokens None: the server counts (four bytes are a token; see models.tokens). Not `counted`: the
    answer carries no usage, as some home-made servers do. `redacted`: reasoning that Anthropic's format and OpenAI's
    Responses have sealed."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    redacted: str = ""
    finish: Literal["", "stop", "length", "tool_calls", "content_filter"] = ""
    refusal: str = ""
    output_tokens: int | None = None
    reasoning_tokens: int = 0
    cached_tokens: int | None = None
    cache_write_tokens: int = 0
    delay_s: float = 0.0
    counted: bool = True

    @property
    def ends(self) -> str:
        """How it finishes, in OpenAI's words."""
        return self.finish or ("tool_calls" if self.calls else "stop")


@dataclass(frozen=True)
class Refuse:
    """An error answer; nothing is billed. `kind` and `code` as the providers write them."""

    status: int
    message: str
    kind: str
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, protocol: Protocol) -> dict[str, Any]:
        if protocol == "anthropic":
            return {"type": "error", "error": {"type": self.kind, "message": self.message}, "request_id": "req_test"}
        return {"error": {"message": self.message, "type": self.kind, "param": None, "code": self.code}}


@dataclass(frozen=True)
class Cut:
    """The connection ends: `before` any byte of the answer, unbilled, or in the `middle` of `say`, billed in whole."""

    when: Literal["before", "middle"] = "before"
    say: Say = Say("an answer that nobody will read to its end")


Answer = Say | Refuse | Cut

_ids = itertools.count(1)


def tool(name: str, **arguments: Any) -> Say:
    """One tool call and no words."""
    return Say(calls=(Call(name, arguments, f"call_{next(_ids)}"),))


def rate_limited(retry_after_s: float | None = None) -> Refuse:
    """429, with Retry-After when the seconds are given."""
    headers = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}
    return Refuse(429, "Rate limit reached for requests", "rate_limit_error", "rate_limit_exceeded", headers)


def overloaded(status: int = 529) -> Refuse:
    """Anthropic's 529, or a 503 as OpenAI sends it."""
    if status == 529:
        return Refuse(529, "Overloaded", "overloaded_error")
    return Refuse(status, "The engine is currently overloaded, please try again later", "server_error")


def out_of_quota() -> Refuse:
    """429 that no waiting heals."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Refuse(429, message, "insufficient_quota", "insufficient_quota")


def wrong_key(protocol: Protocol = "openai") -> Refuse:
    """401."""
    if protocol == "anthropic":
        return Refuse(401, "invalid x-api-key", "authentication_error")
    return Refuse(401, "Incorrect API key provided: sk-xxxx.", "invalid_request_error", "invalid_api_key")


def too_long(protocol: Protocol = "openai", limit: int = 8192, asked: int = 9000) -> Refuse:
    """400 for a request beyond the context window."""
    if protocol == "anthropic":
        return Refuse(400, f"prompt is too long: {asked} tokens > {limit} maximum", "invalid_request_error")
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {asked} tokens. "
        "Please reduce the length of the messages."
    )
    return Refuse(400, message, "invalid_request_error", "context_length_exceeded")


def thinking_lost(where: str) -> Refuse:
    """Anthropic's 400 for an answer that comes back with calls, but without the thinking that led to them."""
    text = (
        f"{where}.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, "
    )
    return Refuse(400, text + "a final `assistant` message must start with a thinking block.", "invalid_request_error")


def thinking_forged(where: str) -> Refuse:
    """Anthropic's 400 for thinking that is not what was signed."""
    return Refuse(400, f"{where}: Invalid `signature` in `thinking` block", "invalid_request_error")


def refusal(text: str = "I can't help with that.") -> Say:
    """The model will not answer: OpenAI's refusal with finish content_filter, Anthropic's stop reason refusal."""
    return Say(text=text, finish="content_filter", refusal=text)
