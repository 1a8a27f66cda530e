"""What a provider signed or sealed passes through the gateway unharmed, by each of its formats, streamed and not.

The scripted provider of Anthropic's format refuses thinking that is lost or changed; the others are scripted to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.harness.gateway.clients import agrees, of_anthropic, of_openai
from tests.harness.gateway.conftest import CLAUDE, DEMANDING, MODEL, SEALING, Open, Set
from tests.servers.answers import Answer, Call, Refuse, Say
from tests.servers.models import Asked, Script

ASK: list[Any] = [{"role": "user", "content": "how many?"}]
SCHEMA = {"type": "object", "properties": {}}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "count", "parameters": SCHEMA}}
RESPONSES_TOOL: Any = {"type": "function", "name": "count", "parameters": SCHEMA, "strict": None}
CLAUDE_TOOL: Any = {"name": "count", "input_schema": SCHEMA}
THINKING: Any = {"type": "enabled", "budget_tokens": 1024}
SIGNED: Script = [
    Say("I count.", (Call("count", {"of": "sheep"}, "call_7"),), reasoning="Sheep \u2026", redacted="c2VhbGVk"),
    Say("seven", reasoning="All of them."),
]
Turn = Callable[[Set, str], str]


def by_messages(here: Set, model: str) -> str:
    client: anthropic.Anthropic = of_anthropic(here)
    more: dict[str, Any] = {"model": model, "max_tokens": 2000, "tools": [CLAUDE_TOOL], "thinking": THINKING}
    first = client.messages.create(messages=ASK, **more)
    result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "7"}  # type: ignore[union-attr]
    said = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    return "".join(
        block.text for block in client.messages.create(messages=said, **more).content if block.type == "text"
    )


def by_messages_streamed(here: Set, model: str) -> str:
    client = of_anthropic(here)
    more: dict[str, Any] = {"model": model, "max_tokens": 2000, "tools": [CLAUDE_TOOL], "thinking": THINKING}
    with client.messages.stream(messages=ASK, **more) as stream:
        first = stream.get_final_message()
    result = {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "7"}  # type: ignore[union-attr]
    said = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    with client.messages.stream(messages=said, **more) as stream:
        return "".join(stream.text_stream)


def by_chat(here: Set, model: str) -> str:
    """With the answer sent back as the client package has it, its extra fields too."""
    client = of_openai(here)
    more: dict[str, Any] = {"model": model, "tools": [CHAT_TOOL], "reasoning_effort": "low", "max_tokens": 2000}
    first = client.chat.completions.create(messages=ASK, **more).choices[0].message
    said = [*ASK, first, {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "7"}]  # type: ignore[index]
    return client.chat.completions.create(messages=said, **more).choices[0].message.content or ""


def by_chat_of_a_forgetful_client(here: Set, model: str) -> str:
    """That keeps what the format itself names, no more, and writes the arguments in its own way."""
    client = of_openai(here)
    more: dict[str, Any] = {"model": model, "tools": [CHAT_TOOL], "reasoning_effort": "low", "max_tokens": 2000}
    pieces = list(client.chat.completions.create(messages=ASK, stream=True, **more))
    (called,) = [call for piece in pieces for choice in piece.choices for call in choice.delta.tool_calls or []]
    function = {"name": called.function.name, "arguments": called.function.arguments.replace(": ", ":")}  # type: ignore[union-attr]
    answer = {
        "role": "assistant",
        "content": "I count.",
        "tool_calls": [{"id": called.id, "type": "function", "function": function}],
    }
    said = [*ASK, answer, {"role": "tool", "tool_call_id": called.id, "content": "7"}]
    return client.chat.completions.create(messages=said, **more).choices[0].message.content or ""


def by_responses(here: Set, model: str) -> str:
    client: openai.OpenAI = of_openai(here)
    more: dict[str, Any] = {"model": model, "tools": [RESPONSES_TOOL], "max_output_tokens": 2000}
    more |= {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    first = client.responses.create(input=ASK, **more)
    result = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "7"}  # type: ignore[union-attr]
    return client.responses.create(input=[*ASK, *first.output, result], **more).output_text


def by_responses_streamed(here: Set, model: str) -> str:
    client = of_openai(here)
    more: dict[str, Any] = {"model": model, "tools": [RESPONSES_TOOL], "max_output_tokens": 2000}
    more |= {"reasoning": {"effort": "low"}, "store": False}
    items = [
        event.item.model_dump(exclude_none=True)
        for event in client.responses.create(input=ASK, stream=True, **more)
        if event.type == "response.output_item.done"
    ]
    result = {"type": "function_call_output", "call_id": items[-1]["call_id"], "output": "7"}
    return client.responses.create(input=[*ASK, *items, result], **more).output_text


WAYS: list[Turn] = [
    by_messages,
    by_messages_streamed,
    by_chat,
    by_chat_of_a_forgetful_client,
    by_responses,
    by_responses_streamed,
]
EVERY = pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])


@EVERY
def test_signed_thinking_comes_back_as_it_was_signed(opened: Open, way: Turn) -> None:
    here = opened(SIGNED, name=CLAUDE)
    assert way(here, CLAUDE) == "seven"
    first, second = here.server.asked
    assert first.body["thinking"]["type"] == second.body["thinking"]["type"] == "enabled"
    blocks = second.messages[1]["content"]
    assert [block["type"] for block in blocks] == ["thinking", "redacted_thinking", "text", "tool_use"]
    assert blocks[0]["thinking"] == "Sheep \u2026" and blocks[1]["data"] == "c2VhbGVk"
    agrees(here)


def demanding(asked: Asked) -> Answer:
    """DeepSeek's rule."""
    answers = [message for message in asked.messages if message["role"] == "assistant"]
    if any(message.get("reasoning_content") != "Sheep \u2026" for message in answers):
        return Refuse(400, "The `reasoning_content` in the thinking mode must be passed back", "invalid_request_error")
    counting = Say("I count.", (Call("count", {"of": "sheep"}, "call_7"),), reasoning="Sheep \u2026")
    return Say("seven", reasoning="All of them.") if answers else counting


@EVERY
def test_unsigned_reasoning_comes_back_with_its_calls(opened: Open, way: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    here = opened(demanding, name=DEMANDING)
    monkeypatch.setenv("DEEPSEEK_API_KEY", "x")
    assert way(here, DEMANDING) == "seven"
    agrees(here)


@EVERY
def test_what_openai_has_sealed_comes_back_under_its_id(opened: Open, way: Turn) -> None:
    here = opened(SIGNED, name=SEALING)
    assert way(here, SEALING) == "seven"
    items = here.server.asked[1].body["input"]
    assert [item["type"] for item in items][:3] == ["message", "reasoning", "message"] or items[0].get("role") == "user"
    (reasoned,) = [item for item in items if item.get("type") == "reasoning"]
    assert (reasoned["id"], reasoned["encrypted_content"]) == ("rs_0", "c2VhbGVk")
    agrees(here)


def test_who_asked_for_no_thinking_sees_none_and_its_calls_work(opened: Open) -> None:
    here = opened(SIGNED, name=CLAUDE, params={"thinking": THINKING})
    client, more = of_anthropic(here), {"model": CLAUDE, "max_tokens": 2000, "tools": [CLAUDE_TOOL]}
    first = client.messages.create(messages=ASK, **more)  # type: ignore[call-overload]
    assert [block.type for block in first.content] == ["text", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": "call_7", "content": "7"}
    said = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    assert client.messages.create(messages=said, **more).content[0].text == "seven"  # type: ignore[call-overload]
    assert here.server.asked[1].messages[1]["content"][0]["type"] == "thinking"
    agrees(here)


def test_thinking_counts_as_output(opened: Open) -> None:
    long = Say("x", reasoning="thought " * 500, redacted="c2VhbGVk" * 100)
    here = opened([long], name=CLAUDE)
    more: Any = {"model": CLAUDE, "max_tokens": 3000, "thinking": THINKING}
    told = of_anthropic(here).messages.create(messages=ASK, **more)
    assert told.usage.output_tokens == here.server.bill[0].usage.output_tokens > 1100
    agrees(here)


def test_changed_thinking_is_the_providers_to_refuse(opened: Open) -> None:
    here = opened(SIGNED, name=CLAUDE)
    client: anthropic.Anthropic = of_anthropic(here)
    more: Any = {"model": CLAUDE, "max_tokens": 2000, "tools": [CLAUDE_TOOL], "thinking": THINKING}
    first = json.loads(client.messages.create(messages=ASK, **more).model_dump_json(exclude_none=True))
    first["content"][0]["thinking"] = "Wolves."
    result = {"type": "tool_result", "tool_use_id": "call_7", "content": "7"}
    said = [*ASK, {"role": "assistant", "content": first["content"]}, {"role": "user", "content": [result]}]
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
        client.messages.create(messages=said, **more)
    agrees(here)


def test_a_model_that_takes_no_thinking_is_asked_without(opened: Open) -> None:
    here = opened([Say("fine", reasoning="Hm.")])
    told = of_anthropic(here).messages.create(model=MODEL, max_tokens=50, messages=ASK, thinking={"type": "adaptive"})
    assert [block.type for block in told.content] == ["thinking", "text"]
    assert "thinking" not in here.server.asked[0].body
