"""The two wire formats of an answer: one JSON document, or the lines of an event stream.

Takes a Say and its usage, gives what OpenAI's and Anthropic's servers send. The formats are the providers' published
ones, to the fields that their own client packages read.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from harness.schema.episode import Usage
from tests.servers.answers import Call, Protocol, Refuse, Say, thinking_forged, thinking_lost

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}


def whole(protocol: Protocol, number: int, model: str, say: Say, usage: Usage) -> dict[str, Any]:
    """The document of an answer that is not streamed."""
    if protocol == "openai":
        choice = {"index": 0, "message": _message(number, say), "finish_reason": say.ends, "logprobs": None}
        counts = {"usage": _openai_usage(usage)} if say.counted else {}
        return {**_completion(number, model, "chat.completion"), "choices": [choice], **counts}
    if protocol == "responses":
        return _response(number, model, say, usage)
    return {
        **_anthropic_head(number, model),
        "content": [block for block, _ in _blocks(number, say)],
        "stop_reason": STOPS[say.ends],
        "usage": _anthropic_usage(usage),
    }


def events(protocol: Protocol, number: int, model: str, say: Say, usage: Usage, *, wants_usage: bool) -> list[bytes]:
    """The lines of a stream, each a whole event. OpenAI's has a usage chunk only when the request asked for it."""
    if protocol == "openai":
        return _openai_events(number, model, say, usage, wants_usage)
    return _anthropic_events(number, model, say, usage)


def _response(number: int, model: str, say: Say, usage: Usage) -> dict[str, Any]:
    """OpenAI's Responses, not streamed: nobody here asks it for a stream."""
    text = {"type": "output_text", "text": say.text, "annotations": []}
    refused = {"type": "refusal", "refusal": say.refusal}
    output: list[dict[str, Any]] = []
    if say.reasoning or say.redacted:
        summary = [{"type": "summary_text", "text": say.reasoning}] if say.reasoning else []
        sealed = {"encrypted_content": say.redacted} if say.redacted else {}
        output.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, **sealed})
    if say.text or say.refusal:
        said = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
        output.append({**said, "content": [refused if say.refusal else text]})
    for place, call in enumerate(say.calls):
        called = {"call_id": call.id or f"call_{number}_{place}", "name": call.name, "arguments": call.text}
        output.append({"type": "function_call", "id": f"fc_{number}_{place}", "status": "completed", **called})
    cut = say.ends == "length"
    counts = {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": int(time.time()),
        "model": model,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "error": None,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": counts if say.counted else None,
    }


def _completion(number: int, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": int(time.time()), "model": model}


def _message(number: int, say: Say) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None, "refusal": say.refusal or None}
    if say.reasoning:
        message["reasoning_content"] = say.reasoning
    if say.calls:
        message["tool_calls"] = [_openai_call(number, place, call) for place, call in enumerate(say.calls)]
    return message


def _openai_call(number: int, place: int, call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.text}
    return {"id": call.id or f"call_{number}_{place}", "type": "function", "function": function}


def _openai_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _anthropic_usage(usage: Usage) -> dict[str, Any]:
    """Anthropic counts what was read from or written to the cache beside the input, not within it."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }


def _anthropic_head(number: int, model: str) -> dict[str, Any]:
    head = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": model}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None}


def _blocks(number: int, say: Say) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each content block with the deltas that build it in a stream."""
    found: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if say.reasoning:
        signed = signature(say.reasoning)
        deltas = [
            {"type": "thinking_delta", "thinking": say.reasoning},
            {"type": "signature_delta", "signature": signed},
        ]
        found.append(({"type": "thinking", "thinking": say.reasoning, "signature": signed}, deltas))
    if say.redacted:
        found.append(({"type": "redacted_thinking", "data": say.redacted}, []))
    if say.text:
        halves = _halves(say.text)
        found.append(({"type": "text", "text": say.text}, [{"type": "text_delta", "text": half} for half in halves]))
    for place, call in enumerate(say.calls):
        given = {"not_json": call.arguments} if isinstance(call.arguments, str) else dict(call.arguments)
        halves = _halves(json.dumps(given))
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
        block = {"type": "tool_use", "id": call.id or f"toolu_{number}_{place}", "name": call.name, "input": given}
        found.append((block, deltas))
    return found


def signature(thinking: str) -> str:
    """What stands under a block of thinking, and under no other."""
    return hashlib.sha256(f"scripted {thinking}".encode("utf-8", "surrogatepass")).hexdigest()


def thinking_fault(body: Mapping[str, Any]) -> Refuse | None:
    """What Anthropic's server refuses of a request with extended thinking: since the user's last own words, an answer
    with calls that does not begin with its thinking, or with thinking that is not as it was signed."""
    if body.get("thinking", {}).get("type") not in ("enabled", "adaptive"):
        return None
    for at, message in reversed(list(enumerate(body.get("messages", [])))):
        blocks = message["content"] if isinstance(message["content"], list) else []
        kinds = [block["type"] for block in blocks]
        if message["role"] == "user" and "tool_result" not in kinds:
            return None
        if message["role"] == "assistant" and "tool_use" in kinds and "thinking" not in kinds[0]:
            return thinking_lost(f"messages.{at}.content.0")
        for place, block in enumerate(blocks):
            if block["type"] == "thinking" and block.get("signature") != signature(block["thinking"]):
                return thinking_forged(f"messages.{at}.content.{place}")
    return None


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def _openai_events(number: int, model: str, say: Say, usage: Usage, wants_usage: bool) -> list[bytes]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": say.reasoning}] if say.reasoning else []
    deltas += [{"content": half} for half in _halves(say.text) if half]
    deltas += [{"refusal": say.refusal}] if say.refusal else []
    for place, call in enumerate(say.calls):
        made = _openai_call(number, place, call)
        first, second = _halves(call.text)
        deltas.append({"tool_calls": [{**made, "index": place, "function": {"name": call.name, "arguments": first}}]})
        deltas.append({"tool_calls": [{"index": place, "function": {"arguments": second}}]})
    head = _completion(number, model, "chat.completion.chunk")
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": say.ends}]})
    if wants_usage:
        chunks.append({**head, "choices": [], "usage": _openai_usage(usage)})
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


def _anthropic_events(number: int, model: str, say: Say, usage: Usage) -> list[bytes]:
    counts = _anthropic_usage(usage)
    made: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {**_anthropic_head(number, model), "usage": {**counts, "output_tokens": 1}},
        }
    ]
    for index, (block, deltas) in enumerate(_blocks(number, say)):
        empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}, "tool_use": {"input": {}}}
        made.append(
            {"type": "content_block_start", "index": index, "content_block": block | empty.get(block["type"], {})}
        )
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": STOPS[say.ends], "stop_sequence": None}
    made.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage.output_tokens}})
    made.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in made]
