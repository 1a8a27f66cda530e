"""The writer of OpenAI's responses: our answer as a document, as events, and a refusal that comes within a stream.

Takes a Reply with its measure, gives the format's items: reasoning, message, function calls. Never a built-in tool's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

from harness.gateway.responses.carried import packed
from harness.gateway.shape import Wanted
from harness.schema.calls import ModelCall, Reply

Event = dict[str, Any]
EMPTY: dict[str, Event] = {
    "reasoning": {"summary": []},
    "message": {"content": []},
    "function_call": {"arguments": ""},
}
"""How an item begins in a stream."""


def response(model: str, reply: Reply, call: ModelCall, wanted: Wanted) -> dict[str, Any]:
    """The document of an answer."""
    cut = reply.finish == "length"
    return {
        **_head(model, call, wanted),
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "output": _items(reply, call),
        "usage": _usage(call),
    }


def events(model: str, reply: Reply, call: ModelCall, wanted: Wanted) -> Iterator[bytes]:
    """The answer as events, numbered."""
    numbers, done = count(), response(model, reply, call, wanted)
    begun = {**_head(model, call, wanted), "status": "in_progress"}
    made: list[Event] = [{"type": f"response.{kind}", "response": begun} for kind in ("created", "in_progress")]
    for index, item in enumerate(done["output"]):
        made += _built(index, item)
    made.append({"type": f"response.{done['status']}", "response": done})
    for event in made:
        yield _event(event | {"sequence_number": next(numbers)})


def failed(model: str, message: str, code: str) -> bytes:
    """A refusal after the stream has begun."""
    document = _document("resp_refused", model, "failed") | {"error": {"code": code, "message": message}}
    return _event({"type": "response.failed", "sequence_number": 0, "response": document})


def _head(model: str, call: ModelCall, wanted: Wanted) -> dict[str, Any]:
    asked = {
        "tools": [{"type": "function", "strict": None, **tool["function"]} for tool in wanted.tools],
        "max_output_tokens": wanted.max_output_tokens,
    }
    return _document(f"resp_{call.index}", model, "in_progress") | asked


def _document(name: str, model: str, status: str) -> dict[str, Any]:
    return {
        "id": name,
        "object": "response",
        "created_at": int(time.time()),
        "model": model,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "metadata": {},
        "usage": None,
    }


def _items(reply: Reply, call: ModelCall) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if (sealed := packed(reply)) is not None:
        summary = [{"type": "summary_text", "text": reply.reasoning}] if reply.reasoning else []
        items.append({"type": "reasoning", "id": f"rs_{call.index}", "summary": summary, "encrypted_content": sealed})
    if reply.text or not reply.calls:
        said = {"type": "message", "id": f"msg_{call.index}", "role": "assistant", "content": [_content(reply)]}
        items.append(said)
    items += [
        {
            "type": "function_call",
            "id": f"fc_{call.index}_{place}",
            "call_id": one.id,
            "name": one.name,
            "arguments": one.arguments,
        }
        for place, one in enumerate(reply.calls)
    ]
    return [{**item, "status": "completed"} for item in items]


def _content(reply: Reply) -> dict[str, Any]:
    if reply.finish == "content_filter":
        return {"type": "refusal", "refusal": reply.text}
    return {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}


def _built(index: int, item: dict[str, Any]) -> list[Event]:
    """The events that build one item."""
    place = {"output_index": index, "item_id": item["id"]}
    parts = {"reasoning": _of_reasoning, "message": _of_message, "function_call": _of_call}[item["type"]](item)
    empty: dict[str, Any] = EMPTY[item["type"]]
    return [
        {
            "type": "response.output_item.added",
            "output_index": index,
            "item": {**item, **empty, "status": "in_progress"},
        },
        *({**event, "type": f"response.{event['type']}", **place} for event in parts),
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _of_reasoning(item: dict[str, Any]) -> list[Event]:
    if not item["summary"]:
        return []
    (part,) = item["summary"]
    begun = {**part, "text": ""}
    made: list[Event] = [
        {"type": "reasoning_summary_part.added", "part": begun},
        {"type": "reasoning_summary_text.delta", "delta": part["text"]},
        {"type": "reasoning_summary_text.done", "text": part["text"]},
        {"type": "reasoning_summary_part.done", "part": part},
    ]
    return [{**event, "summary_index": 0} for event in made]


def _of_message(item: dict[str, Any]) -> list[Event]:
    (part,) = item["content"]
    word, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
    more: dict[str, Any] = {} if word == "refusal" else {"logprobs": []}
    made: list[Event] = [
        {"type": "content_part.added", "part": {**part, field: ""}},
        {"type": f"{word}.delta", "delta": part[field], **more},
        {"type": f"{word}.done", field: part[field], **more},
        {"type": "content_part.done", "part": part},
    ]
    return [{**event, "content_index": 0} for event in made]


def _of_call(item: dict[str, Any]) -> list[Event]:
    return [
        {"type": "function_call_arguments.delta", "delta": item["arguments"]},
        {"type": "function_call_arguments.done", "arguments": item["arguments"], "name": item["name"]},
    ]


def _usage(call: ModelCall) -> dict[str, Any]:
    cached = {"cached_tokens": call.cached_tokens, "cache_write_tokens": call.cache_write_tokens}
    return {
        "input_tokens": call.input_tokens,
        "input_tokens_details": cached,
        "output_tokens": call.output_tokens,
        "output_tokens_details": {"reasoning_tokens": call.reasoning_tokens},
        "total_tokens": call.input_tokens + call.output_tokens,
    }


def _event(tree: Event) -> bytes:
    return f"event: {tree['type']}\ndata: {json.dumps(tree)}\n\n".encode()
