"""The reader of OpenAI's responses: items into chat messages.

Takes request bytes, gives a Wanted. What the model reasoned, said and called in one answer becomes one message of its;
pictures that a tool gave follow its results, where the chat format has room for them.
"""

from __future__ import annotations

from typing import Any

from harness.gateway.responses.carried import unpacked
from harness.gateway.responses.shape import (
    Called,
    Choice,
    FunctionTool,
    InputImage,
    OutputText,
    Reasoned,
    Refusal,
    ResponsesRequest,
    Result,
    Said,
)
from harness.gateway.shape import Shape, Wanted, parsed
from harness.llm.returned import returned

PLAIN = ("temperature", "top_p", "tool_choice", "parallel_tool_calls")
OF_TOOLS = ("tool_choice", "parallel_tool_calls")


def responses_request(body: bytes) -> tuple[str, Wanted]:
    """The model that is asked for, and the request. Raises HttpRefused."""
    asked = parsed(body, ResponsesRequest)
    return asked.model, Wanted(
        messages=_messages(asked),
        tools=[_function(tool) for tool in asked.tools],
        params=_params(asked),
        max_output_tokens=asked.max_output_tokens,
        stream=bool(asked.stream),
    )


def _messages(asked: ResponsesRequest) -> list[dict[str, Any]]:
    told = [{"role": "system", "content": asked.instructions}] if asked.instructions else []
    if isinstance(asked.input, str):
        return [*told, {"role": "user", "content": asked.input}]
    conversation = _Conversation()
    for item in asked.input:
        conversation.add(item)
    return [*told, *conversation.whole()]


class _Conversation:
    """Chat messages in the making."""

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._answer: dict[str, Any] = {}
        self._pictures: list[dict[str, Any]] = []

    def add(self, item: Shape) -> None:
        """The next item of the input."""
        if isinstance(item, Result):
            return self._result(item)
        self._close_results()
        if isinstance(item, Reasoned):
            if set(self._answer) - {"role"}:
                self._close_answer()
            kept = unpacked(item.encrypted_content)
            self._opened().update(returned(kept.thinking, kept.reasoning))
        elif isinstance(item, Called):
            function = {"name": item.name, "arguments": item.arguments}
            called = {"id": item.call_id, "type": "function", "function": function}
            self._opened().setdefault("tool_calls", []).append(called)
        elif isinstance(item, Said) and item.role == "assistant":
            if "content" in self._answer:
                self._close_answer()
            self._opened()["content"] = _said(item)
        elif isinstance(item, Said):
            self._close_answer()
            role = "user" if item.role == "user" else "system"
            self._messages.append({"role": role, "content": _said(item)})
        return None

    def whole(self) -> list[dict[str, Any]]:
        """All messages."""
        self._close_answer()
        self._close_results()
        return self._messages

    def _opened(self) -> dict[str, Any]:
        """The answer that is being put together."""
        self._answer.setdefault("role", "assistant")
        return self._answer

    def _close_answer(self) -> None:
        """Reasoning that led to nothing is let go with it."""
        if {"content", "tool_calls"} & set(self._answer):
            self._messages.append({"content": None, **self._answer})
        self._answer = {}

    def _result(self, item: Result) -> None:
        self._close_answer()
        parts = item.output if not isinstance(item.output, str) else []
        self._pictures += [_part(part) for part in parts if isinstance(part, InputImage)]
        texts = [_part(part) for part in parts if not isinstance(part, InputImage)]
        text = item.output if isinstance(item.output, str) else texts or ""
        self._messages.append({"role": "tool", "tool_call_id": item.call_id, "content": text})

    def _close_results(self) -> None:
        if self._pictures:
            self._messages.append({"role": "user", "content": self._pictures})
            self._pictures = []


def _said(item: Said) -> str | list[dict[str, Any]]:
    """Text alone where it is one piece, as every provider takes it."""
    if isinstance(item.content, str):
        return item.content
    parts = [_part(part) for part in item.content]
    return str(parts[0]["text"]) if len(parts) == 1 and "text" in parts[0] else parts


def _part(part: Shape) -> dict[str, Any]:
    if isinstance(part, InputImage):
        detail = {"detail": part.detail} if part.detail in ("auto", "low", "high") else {}
        return {"type": "image_url", "image_url": {"url": part.image_url, **detail}}
    if isinstance(part, Refusal):
        return {"type": "text", "text": part.refusal}
    return {"type": "text", "text": part.text if isinstance(part, OutputText) else getattr(part, "text", "")}


def _function(tool: FunctionTool) -> dict[str, Any]:
    function = tool.model_dump(mode="json", include={"name", "description", "parameters", "strict"}, exclude_none=True)
    return {"type": "function", "function": function}


def _params(asked: ResponsesRequest) -> dict[str, Any]:
    params: dict[str, Any] = {name: getattr(asked, name) for name in PLAIN if asked.tools or name not in OF_TOOLS}
    if isinstance(choice := params.get("tool_choice"), Choice):
        params["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    if asked.reasoning:
        params["reasoning_effort"] = asked.reasoning.effort
    if asked.text:
        params |= {"verbosity": asked.text.verbosity, "response_format": _format(asked)}
    return {name: value for name, value in params.items() if value is not None}


def _format(asked: ResponsesRequest) -> dict[str, Any] | None:
    """In the words of chat; plain text is no format."""
    tree = (
        asked.text.format.model_dump(mode="json", exclude_none=True, by_alias=True)
        if asked.text and asked.text.format
        else {}
    )
    if tree.get("type") != "json_schema":
        return {"type": "json_object"} if tree.get("type") == "json_object" else None
    return {"type": tree.pop("type"), "json_schema": tree}
