"""The providers' own client packages against the gateway: plain, streamed, with tools, with errors; the bill agrees."""

from __future__ import annotations

import json
import time
from typing import Any

import anthropic
import openai
import pytest

from harness.gateway import server
from tests.harness.gateway.clients import agrees, of_anthropic, of_openai
from tests.harness.gateway.conftest import KEY, MODEL, PRICE, Open
from tests.servers.answers import Call, Refuse, Say, rate_limited, refusal, too_long

ASK: list[Any] = [{"role": "user", "content": "how many?"}]
FUNCTION: Any = {
    "type": "function",
    "function": {"name": "count", "description": "counts", "parameters": {"type": "object", "properties": {}}},
}
TOOL: Any = {"name": "count", "description": "counts", "input_schema": {"type": "object", "properties": {}}}
TOLD = Say("I count.", calls=(Call("count", {"of": "sheep"}, "call_7"),))


def test_openai_speaks_and_calls_tools(opened: Open) -> None:
    here = opened([TOLD, Say("seven", cached_tokens=5)])
    client = of_openai(here)
    first = client.chat.completions.create(model=MODEL, messages=ASK, tools=[FUNCTION], temperature=0.5, max_tokens=50)
    call = first.choices[0].message.tool_calls[0]  # type: ignore[index]
    assert (call.id, call.function.name, call.function.arguments) == ("call_7", "count", '{"of": "sheep"}')  # type: ignore[union-attr]
    said = [*ASK, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "7"}]
    second = client.chat.completions.create(model=MODEL, messages=said, tools=[FUNCTION])
    assert (second.choices[0].message.content, second.choices[0].finish_reason) == ("seven", "stop")
    assert second.usage is not None and second.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details.cached_tokens == 5
    assert second.usage.completion_tokens == here.server.bill[1].usage.output_tokens
    sent = here.server.asked[0].body
    assert (sent["temperature"], sent["max_tokens"], sent["tools"]) == (0.5, 50, [FUNCTION])
    assert here.server.asked[1].messages[1]["tool_calls"][0]["id"] == "call_7"
    assert [model.id for model in client.models.list()] == [MODEL]
    agrees(here)


def test_openai_streams(opened: Open) -> None:
    here = opened([TOLD])
    options: Any = {"include_usage": True}
    pieces = list(
        of_openai(here).chat.completions.create(
            model=MODEL, messages=ASK, tools=[FUNCTION], stream=True, stream_options=options
        )
    )
    text = "".join(c.delta.content or "" for piece in pieces for c in piece.choices)
    called = [call for piece in pieces for c in piece.choices for call in c.delta.tool_calls or []]
    assert text == "I count." and called[0].function.arguments == '{"of": "sheep"}'  # type: ignore[union-attr]
    assert pieces[-1].usage is not None and pieces[-1].usage.total_tokens > 0
    assert [c.finish_reason for piece in pieces for c in piece.choices][-1] == "tool_calls"
    agrees(here)


def test_anthropic_speaks_and_calls_tools(opened: Open) -> None:
    here = opened([TOLD, Say("seven", cached_tokens=5)])
    client = of_anthropic(here)
    system: Any = [{"type": "text", "text": "Count.", "cache_control": {"type": "ephemeral"}}]
    first = client.messages.create(model=MODEL, max_tokens=50, messages=ASK, tools=[TOOL], system=system)
    assert [block.type for block in first.content] == ["text", "tool_use"] and first.stop_reason == "tool_use"
    use = first.content[1]
    assert (use.id, use.name, use.input) == ("call_7", "count", {"of": "sheep"})  # type: ignore[union-attr]
    result = {"type": "tool_result", "tool_use_id": "call_7", "content": [{"type": "text", "text": "7"}]}
    said: Any = [*ASK, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = client.messages.create(model=MODEL, max_tokens=50, messages=said, tools=[TOOL], stop_sequences=["END"])
    assert second.content[0].text == "seven" and second.stop_reason == "end_turn"  # type: ignore[union-attr]
    assert (second.usage.cache_read_input_tokens, second.usage.input_tokens) == (
        5,
        here.server.bill[1].usage.input_tokens - 5,
    )
    roles = [message["role"] for message in here.server.asked[1].messages]
    assert roles == ["user", "assistant", "tool"] and here.server.asked[1].body["stop"] == ["END"]
    assert here.server.asked[0].messages[0]["role"] == "system"
    agrees(here)


def test_anthropic_streams(opened: Open) -> None:
    here = opened([TOLD])
    with of_anthropic(here).messages.stream(model=MODEL, max_tokens=50, messages=ASK, tools=[TOOL]) as stream:
        assert "".join(stream.text_stream) == "I count."
        final = stream.get_final_message()
    assert final.content[1].input == {"of": "sheep"} and final.stop_reason == "tool_use"  # type: ignore[union-attr]
    assert final.usage.output_tokens == here.server.bill[0].usage.output_tokens
    agrees(here)


def test_a_stream_says_that_it_waits_and_clients_pass_over_it(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE_S", 0.05)
    slow = Say("At last.", delay_s=0.4)
    bad = Refuse(400, "temperature must be 1 for this model", "invalid_request_error")
    here = opened([slow, slow, slow, rate_limited(0.3), bad, rate_limited(0.3), bad, slow])
    body = json.dumps({"model": MODEL, "messages": ASK, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    heard = here.raw(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert heard.count(server.WAITING) >= 2 and heard.index(server.WAITING) < heard.index(b"At ")
    one, other = of_openai(here), of_anthropic(here)
    pieces = list(one.chat.completions.create(model=MODEL, messages=ASK, stream=True))
    assert "".join(c.delta.content or "" for piece in pieces for c in piece.choices) == "At last."
    with other.messages.stream(model=MODEL, max_tokens=50, messages=ASK) as stream:
        assert stream.get_final_message().content[0].text == "At last."  # type: ignore[union-attr]
    with pytest.raises(openai.APIError, match="temperature must be 1"):
        list(one.chat.completions.create(model=MODEL, messages=ASK, stream=True))
    with (
        pytest.raises(anthropic.APIStatusError, match="temperature must be 1"),
        other.messages.stream(model=MODEL, max_tokens=50, messages=ASK) as stream,
    ):
        stream.get_final_message()
    with here.raw_socket() as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        connection.recv(65536)
    while len(here.meter.paid()) < 4:
        time.sleep(0.02)
    agrees(here)


def test_trouble_of_the_provider_is_told_in_the_clients_own_words(opened: Open) -> None:
    bad = Refuse(400, "temperature must be 1 for this model", "invalid_request_error")
    here = opened([rate_limited(0.01), Say("after the wait"), too_long(), bad, refusal("No."), Say("still here")])
    one, other = of_openai(here), of_anthropic(here)
    ask = {"model": MODEL, "messages": ASK}
    assert one.chat.completions.create(**ask).choices[0].message.content == "after the wait"  # type: ignore[arg-type]
    with pytest.raises(openai.BadRequestError) as long:
        one.chat.completions.create(**ask)  # type: ignore[arg-type]
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(anthropic.BadRequestError, match="temperature must be 1"):
        other.messages.create(**ask, max_tokens=50)  # type: ignore[arg-type]
    refused = other.messages.create(**ask, max_tokens=50)  # type: ignore[arg-type]
    assert refused.stop_reason == "refusal"
    assert one.chat.completions.create(**ask).choices[0].message.content == "still here"  # type: ignore[arg-type]
    agrees(here)


def test_the_limit_ends_the_episode_and_nothing_more_is_asked(opened: Open) -> None:
    here = opened([Say("dear", output_tokens=100)] * 50, limit=0.01)
    client, said = of_openai(here), 0
    with pytest.raises(openai.PermissionDeniedError, match="the episode is over"):
        while True:
            client.chat.completions.create(model=MODEL, messages=ASK)
            said += 1
    assert 0 < said < 10 and here.server.cost_usd(PRICE) <= 0.01
    assert here.gateway.over is not None and here.gateway.over.status == "cost"  # type: ignore[union-attr]
    asked = len(here.server.asked)
    with pytest.raises(anthropic.PermissionDeniedError):
        of_anthropic(here).messages.create(model=MODEL, max_tokens=1, messages=ASK)
    assert len(here.server.asked) == asked
