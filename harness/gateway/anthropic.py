"""Anthropic's messages: what a program may ask (Shapes), in chat format, and our answer in its own.

Takes request bytes and replies, gives a Wanted and response documents or events. A tool of the program's own is the
only kind; server tools, MCP servers, files and URLs have no field here. Thinking passes both ways as its provider
signed it, where the program asked for thinking; who did not sees none, and its calls get it back by gateway.kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.gateway.shape import (
    Base64,
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

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


class _Text(Shape):
    type: Literal["text"]
    text: str
    cache_control: CacheControl | None = None
    citations: Annotated[list[None], Field(max_length=0)] | None = Field(default=None, exclude=True)


class _Source(Shape):
    type: Literal["base64"]
    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: Base64


class _Image(Shape):
    type: Literal["image"]
    source: _Source
    cache_control: CacheControl | None = None


class _ToolUse(Shape):
    type: Literal["tool_use"]
    id: CallId
    name: Name
    input: dict[str, Any]
    cache_control: CacheControl | None = None
    caller: None = None


class _ToolResult(Shape):
    type: Literal["tool_result"]
    tool_use_id: CallId
    content: str | list[Annotated[_Text | _Image, Field(discriminator="type")]] = ""
    is_error: bool | None = None
    cache_control: CacheControl | None = None


class _User(Shape):
    role: Literal["user"]
    content: str | list[Annotated[_Text | _Image | _ToolResult, Field(discriminator="type")]]


class _Assistant(Shape):
    role: Literal["assistant"]
    content: str | list[Annotated[_Text | _ToolUse | Thought | SealedThought, Field(discriminator="type")]]


class _Tool(Shape):
    type: Literal["custom"] | None = None
    name: Name
    description: str | None = None
    input_schema: JsonSchema
    strict: bool | None = None
    cache_control: CacheControl | None = None
    eager_input_streaming: bool | None = None


class _Choice(Shape):
    type: Literal["auto", "any", "tool", "none"]
    name: Name | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(Shape):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    budget_tokens: Tokens | None = None
    display: Literal["summarized", "omitted"] | None = None


class MessagesRequest(Shape):
    """The body of POST /v1/messages. The last block is taken and let go."""

    model: str
    messages: Annotated[list[Annotated[_User | _Assistant, Field(discriminator="role")]], Field(min_length=1)]
    system: str | list[_Text] | None = None
    max_tokens: Tokens
    tools: list[_Tool] = []
    tool_choice: _Choice | None = None
    temperature: Annotated[float, Field(ge=0, le=1)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    stop_sequences: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=16)] = []
    thinking: _Thinking | None = None
    stream: bool | None = None

    metadata: dict[str, str | None] | None = None
    service_tier: str | None = None
    output_config: dict[str, Any] | None = None
    context_management: dict[str, Any] | None = None


def messages_request(body: bytes) -> tuple[str, Wanted]:
    """The model that is asked for, and the request. Raises HttpRefused."""
    asked = parsed(body, MessagesRequest)
    system = asked.system
    messages: list[dict[str, Any]] = []
    if system:
        content = system if isinstance(system, str) else [_dump(block) for block in system]
        messages.append({"role": "system", "content": content})
    for message in asked.messages:
        messages += _from_user(message) if isinstance(message, _User) else [_from_assistant(message)]
    return asked.model, Wanted(
        messages=messages,
        tools=[_function(tool) for tool in asked.tools],
        params=_params(asked),
        max_output_tokens=asked.max_tokens,
        stream=bool(asked.stream),
        reasoning=asked.thinking is not None and asked.thinking.type != "disabled",
    )


def _dump(block: Shape) -> dict[str, Any]:
    return block.model_dump(mode="json", exclude_none=True)


def _params(asked: MessagesRequest) -> dict[str, Any]:
    params: dict[str, Any] = {"temperature": asked.temperature, "top_p": asked.top_p}
    params["stop"] = list(asked.stop_sequences) or None
    params["thinking"] = _dump(asked.thinking) if asked.thinking else None
    if choice := asked.tool_choice:
        words = {"auto": "auto", "any": "required", "none": "none"}
        named = {"type": "function", "function": {"name": choice.name}}
        params["tool_choice"] = named if choice.type == "tool" else words[choice.type]
        params["parallel_tool_calls"] = False if choice.disable_parallel_tool_use else None
    return {name: value for name, value in params.items() if value is not None}


def _function(tool: _Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    made: dict[str, Any] = {"type": "function", "function": {k: v for k, v in function.items() if v is not None}}
    return {**made, "cache_control": _dump(tool.cache_control)} if tool.cache_control else made


def _image(block: _Image) -> dict[str, Any]:
    source = block.source
    return {"type": "image_url", "image_url": {"url": f"data:{source.media_type};base64,{source.data}"}}


def _from_user(message: _User) -> list[dict[str, Any]]:
    """Tool results come first and each as a message, as the chat format wants them; then what the user says."""
    if isinstance(message.content, str):
        return [{"role": "user", "content": message.content}]
    results: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []
    for block in message.content:
        if isinstance(block, _ToolResult):
            text, images = _result(block)
            results.append({"role": "tool", "tool_call_id": block.tool_use_id, "content": text})
            said += images
        else:
            said.append(_image(block) if isinstance(block, _Image) else _dump(block))
    return [*results, *([{"role": "user", "content": said}] if said else [])]


def _result(block: _ToolResult) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Text of a result, and its images, which the chat format has no place for in a tool's message."""
    content = [_Text(type="text", text=block.content)] if isinstance(block.content, str) else block.content
    texts = [_dump(one) for one in content if isinstance(one, _Text)]
    if block.is_error:
        texts.insert(0, {"type": "text", "text": "[the tool failed]"})
    if block.cache_control and texts:
        texts[-1] = {**texts[-1], "cache_control": _dump(block.cache_control)}
    return texts or [{"type": "text", "text": ""}], [_image(one) for one in content if isinstance(one, _Image)]


def _from_assistant(message: _Assistant) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": "assistant", "content": message.content}
    texts = [_dump(block) for block in message.content if isinstance(block, _Text)]
    calls = [
        {"id": block.id, "type": "function", "function": {"name": block.name, "arguments": json.dumps(block.input)}}
        for block in message.content
        if isinstance(block, _ToolUse)
    ]
    made: dict[str, Any] = {"role": "assistant", "content": texts or None, **_thoughts(message.content)}
    return {**made, "tool_calls": calls} if calls else made


def _thoughts(content: Sequence[Shape]) -> dict[str, Any]:
    """Signed and sealed thinking as it came; what nobody signed as reasoning."""
    thoughts = [block for block in content if isinstance(block, Thought | SealedThought)]
    plain = [block.thinking for block in thoughts if isinstance(block, Thought) and not block.signature]
    signed = [_dump(block) for block in thoughts if isinstance(block, SealedThought) or block.signature]
    return {SIGNED: signed} if signed else {UNSIGNED: "\n".join(plain)} if any(plain) else {}


def message(model: str, reply: Reply, call: ModelCall, *, reasoning: bool) -> dict[str, Any]:
    """The document of an answer."""
    stop = STOPS.get(reply.finish, "end_turn")
    return {**_head(model, call), "content": _blocks(reply, reasoning), "stop_reason": stop, "usage": _usage(call)}


def events(model: str, reply: Reply, call: ModelCall, *, reasoning: bool) -> Iterator[bytes]:
    """The answer as events."""
    usage = _usage(call)
    yield _event({"type": "message_start", "message": {**_head(model, call), "usage": {**usage, "output_tokens": 1}}})
    for index, block in enumerate(_blocks(reply, reasoning)):
        empty, deltas = _built(block)
        yield _event({"type": "content_block_start", "index": index, "content_block": {**block, **empty}})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": STOPS.get(reply.finish, "end_turn"), "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": ended, "usage": {"output_tokens": call.output_tokens}})
    yield _event({"type": "message_stop"})


def error(text: str, kind: str) -> dict[str, Any]:
    """The document of a refusal."""
    return {"type": "error", "error": {"type": kind, "message": text}}


def _head(model: str, call: ModelCall) -> dict[str, Any]:
    head = {"id": f"msg_{call.index}", "type": "message", "role": "assistant", "model": model}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None}


def _built(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins in a stream, and what is then added to it. Sealed thinking comes whole."""
    if block["type"] == "text":
        return {"text": ""}, [{"type": "text_delta", "text": block["text"]}]
    if block["type"] == "tool_use":
        return {"input": {}}, [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return {"thinking": "", "signature": ""}, [
            thought,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    return {}, []


def _blocks(reply: Reply, reasoning: bool) -> list[dict[str, Any]]:
    texts = [{"type": "text", "text": reply.text}] if reply.text else []
    return [
        *(_thinking(reply) if reasoning else []),
        *texts,
        *({"type": "tool_use", "id": c.id, "name": c.name, "input": _input(c.arguments)} for c in reply.calls),
    ]


def _thinking(reply: Reply) -> list[dict[str, Any]]:
    signed = [one.block for one in reply.thinking if one.type != "reasoning"]
    unsigned = [{"type": "thinking", "thinking": reply.reasoning, "signature": ""}] if reply.reasoning else []
    return signed or unsigned


def _input(arguments: str) -> dict[str, Any]:
    """The format has room for an object only; what the model wrote instead goes under one name."""
    try:
        tree = json.loads(arguments or "{}")
    except ValueError:
        tree = None
    return tree if isinstance(tree, dict) else {"not_json": arguments}


def _usage(call: ModelCall) -> dict[str, Any]:
    """Anthropic counts cached and cache-write tokens beside the input, ours counts them within it."""
    return {
        "input_tokens": max(0, call.input_tokens - call.cached_tokens - call.cache_write_tokens),
        "cache_read_input_tokens": call.cached_tokens,
        "cache_creation_input_tokens": call.cache_write_tokens,
        "output_tokens": call.output_tokens,
    }


def _event(tree: dict[str, Any]) -> bytes:
    return f"event: {tree['type']}\ndata: {json.dumps(tree)}\n\n".encode()
