"""OpenAI's chat completions: what a program may ask (Shapes), and our answer in its format.

Takes request bytes and replies, gives a Wanted and response documents or events. Functions are the only tools, text and
inline images the only content; what would act on the provider's side (search, code, files, storage) has no field here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.gateway.shape import (
    CacheControl,
    CallId,
    JsonSchema,
    Name,
    SealedThought,
    Shape,
    Thought,
    Tokens,
    Wanted,
    parsed,
)
from harness.llm.returned import SIGNED, UNSIGNED
from harness.schema.calls import ModelCall, Reply

INLINE_IMAGE = r"^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$"


class _Text(Shape):
    type: Literal["text"]
    text: str
    cache_control: CacheControl | None = None


class _Refusal(Shape):
    type: Literal["refusal"]
    refusal: str


class _ImageUrl(Shape):
    url: Annotated[str, Field(pattern=INLINE_IMAGE)]
    detail: Literal["auto", "low", "high"] | None = None


class _Image(Shape):
    type: Literal["image_url"]
    image_url: _ImageUrl


class _System(Shape):
    role: Literal["system", "developer"]
    content: str | list[_Text]
    name: Name | None = None


class _User(Shape):
    role: Literal["user"]
    content: str | list[Annotated[_Text | _Image, Field(discriminator="type")]]
    name: Name | None = None


class _Called(Shape):
    name: Name
    arguments: str


class _ToolCall(Shape):
    id: CallId
    type: Literal["function"] = "function"
    function: _Called
    index: int | None = Field(default=None, exclude=True)


class _Assistant(Shape):
    """With the reasoning of an answer, and the empty fields that client packages send back of it."""

    role: Literal["assistant"]
    content: str | list[Annotated[_Text | _Refusal, Field(discriminator="type")]] | None = None
    tool_calls: list[_ToolCall] | None = None
    name: Name | None = None
    refusal: str | None = Field(default=None, exclude=True)
    reasoning_content: str | None = None
    thinking_blocks: list[Annotated[Thought | SealedThought, Field(discriminator="type")]] | None = None
    annotations: Annotated[list[None], Field(max_length=0)] | None = Field(default=None, exclude=True)
    audio: None = None
    function_call: None = None


class _Tool(Shape):
    role: Literal["tool"]
    tool_call_id: CallId
    content: str | list[_Text]
    name: Name | None = None


class _Function(Shape):
    name: Name
    description: str | None = None
    parameters: JsonSchema | None = None
    strict: bool | None = None


class _FunctionTool(Shape):
    type: Literal["function"]
    function: _Function
    cache_control: CacheControl | None = None


class _Named(Shape):
    name: Name


class _Choice(Shape):
    type: Literal["function"]
    function: _Named


class _Schema(Shape):
    name: Name
    description: str | None = None
    schema_: JsonSchema | None = Field(default=None, alias="schema")
    strict: bool | None = None


class _SchemaFormat(Shape):
    type: Literal["json_schema"]
    json_schema: _Schema


class _PlainFormat(Shape):
    type: Literal["text", "json_object"]


class _StreamOptions(Shape):
    include_usage: bool = False
    include_obfuscation: bool | None = None


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
Stop = Annotated[str, Field(max_length=1000)]
Penalty = Annotated[float, Field(ge=-2, le=2)]


class ChatRequest(Shape):
    """The body of POST /v1/chat/completions. The last block is taken and let go: it would change nothing here."""

    model: str
    messages: Annotated[
        list[Annotated[_System | _User | _Assistant | _Tool, Field(discriminator="role")]], Field(min_length=1)
    ]
    tools: list[_FunctionTool] = []
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=16)] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = None
    response_format: Annotated[_SchemaFormat | _PlainFormat, Field(discriminator="type")] | None = None

    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    modalities: list[Literal["text"]] | None = None
    store: bool | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None


PARAMS = {
    "tool_choice",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
}


def chat_request(body: bytes) -> tuple[str, Wanted]:
    """The model that is asked for, and the request. Raises HttpRefused."""
    asked = parsed(body, ChatRequest)
    tree = asked.model_dump(mode="json", exclude_none=True, by_alias=True)
    for message in tree["messages"]:
        if message["role"] == "developer":
            message["role"] = "system"
        signed, unsigned = message.pop(SIGNED, None), message.pop(UNSIGNED, None)
        message |= {SIGNED: signed} if signed else {UNSIGNED: unsigned} if unsigned else {}
    return asked.model, Wanted(
        messages=tree["messages"],
        tools=tree["tools"],
        params={name: tree[name] for name in tree if name in PARAMS},
        max_output_tokens=asked.max_completion_tokens or asked.max_tokens,
        stream=bool(asked.stream),
        usage_in_stream=bool(asked.stream_options and asked.stream_options.include_usage),
    )


def completion(model: str, reply: Reply, call: ModelCall) -> dict[str, Any]:
    """The document of an answer. Reasoning stands beside it under the names that many servers and litellm use."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    message |= _reasoning(reply)
    if reply.calls:
        message["tool_calls"] = _calls(reply)
    choice = {"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}
    return {**_head(model, call, "chat.completion"), "choices": [choice], "usage": _usage(call)}


def chunks(model: str, reply: Reply, call: ModelCall, usage: bool) -> Iterator[bytes]:
    """The answer as events."""
    head = _head(model, call, "chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{name: value} for name, value in _reasoning(reply).items()]
    deltas += [{"content": reply.text}] if reply.text else []
    deltas += [{"tool_calls": [{**made, "index": place}]} for place, made in enumerate(_calls(reply))]
    for delta in deltas:
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]})
    if usage:
        yield _event({**head, "choices": [], "usage": _usage(call)})
    yield b"data: [DONE]\n\n"


def error(message: str, kind: str, code: str | None) -> dict[str, Any]:
    """The document of a refusal."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _head(model: str, call: ModelCall, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{call.index}", "object": kind, "created": int(time.time()), "model": model}


def _reasoning(reply: Reply) -> dict[str, Any]:
    signed = [one.block for one in reply.thinking if one.type != "reasoning"]
    return ({UNSIGNED: reply.reasoning} if reply.reasoning else {}) | ({SIGNED: signed} if signed else {})


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]


def _usage(call: ModelCall) -> dict[str, Any]:
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": call.reasoning_tokens},
    }


def _event(tree: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(tree)}\n\n".encode()
