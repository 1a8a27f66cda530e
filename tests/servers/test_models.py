"""The scripted server against the providers' own client packages: the formats are the real ones, the bill is exact."""

from __future__ import annotations

from dataclasses import replace

import anthropic
import openai
import pytest

from harness.schema.prices import Price
from tests.servers.answers import Call, Cut, Say, overloaded, rate_limited, refusal, too_long, tool
from tests.servers.models import model_server

ASK = [{"role": "user", "content": "hello"}]
TALK = Say(
    text="some words",
    calls=(Call("bash", {"command": "ls"}),),
    reasoning="because",
    cached_tokens=3,
    reasoning_tokens=2,
)


@pytest.mark.parametrize("stream", [False, True])
def test_openai_client_reads_what_was_scripted(stream: bool) -> None:
    with model_server([TALK]) as server:
        client = openai.OpenAI(base_url=server.openai, api_key="x", max_retries=0)
        if stream:
            with client.chat.completions.stream(
                model="m", messages=ASK, stream_options={"include_usage": True}
            ) as chunks:
                done = chunks.get_final_completion()
        else:
            done = client.chat.completions.create(model="m", messages=ASK)
    message, usage, billed = done.choices[0].message, done.usage, server.bill[0].usage
    assert message.content == "some words" and message.tool_calls[0].function.arguments == '{"command": "ls"}'
    assert done.choices[0].finish_reason == "tool_calls"
    assert (usage.prompt_tokens, usage.completion_tokens) == (billed.input_tokens, billed.output_tokens)
    assert usage.prompt_tokens_details.cached_tokens == 3


def test_openai_client_reads_responses() -> None:
    with model_server([replace(TALK, redacted="c2VhbGVk"), Say("so", finish="length")]) as server:
        client = openai.OpenAI(base_url=server.openai, api_key="x", max_retries=0)
        done = client.responses.create(model="m", input="hello")
        cut = client.responses.create(model="m", input="hello")
    reasoned, said, call = done.output
    assert (reasoned.summary[0].text, reasoned.encrypted_content) == ("because", "c2VhbGVk")
    assert (done.output_text, said.status, call.name, call.arguments) == (
        "some words",
        "completed",
        "bash",
        '{"command": "ls"}',
    )
    billed = server.bill[0].usage
    assert (done.usage.input_tokens, done.usage.output_tokens) == (billed.input_tokens, billed.output_tokens)
    assert (
        done.usage.output_tokens_details.reasoning_tokens == 2 and cut.incomplete_details.reason == "max_output_tokens"
    )


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_client_reads_what_was_scripted(stream: bool) -> None:
    with model_server([TALK]) as server:
        client = anthropic.Anthropic(base_url=server.anthropic, api_key="x", max_retries=0)
        if stream:
            with client.messages.stream(model="m", messages=ASK, max_tokens=9) as chunks:
                done = chunks.get_final_message()
        else:
            done = client.messages.create(model="m", messages=ASK, max_tokens=9)
    thinking, text, call = done.content
    assert (thinking.thinking, text.text, call.input) == ("because", "some words", {"command": "ls"})
    assert done.stop_reason == "tool_use"
    read = done.usage.input_tokens + done.usage.cache_read_input_tokens
    assert (read, done.usage.output_tokens) == (server.bill[0].usage.input_tokens, server.bill[0].usage.output_tokens)


def test_errors_are_the_clients_own_and_cost_nothing() -> None:
    script = [rate_limited(1.5), overloaded(503), too_long(), Cut("before"), refusal(), Cut("middle")]
    with model_server(script) as server:
        client = openai.OpenAI(base_url=server.openai, api_key="x", max_retries=0)

        def ask() -> openai.types.chat.ChatCompletion:
            return client.chat.completions.create(model="m", messages=ASK)

        with pytest.raises(openai.RateLimitError) as limited:
            ask()
        assert limited.value.response.headers["retry-after"] == "1.5"
        with pytest.raises(openai.InternalServerError):
            ask()
        with pytest.raises(openai.BadRequestError) as long:
            ask()
        assert long.value.code == "context_length_exceeded"
        with pytest.raises(openai.APIConnectionError):
            ask()
        assert server.bill == []
        assert ask().choices[0].finish_reason == "content_filter"
        with pytest.raises(openai.APIConnectionError):
            ask()
    assert [billed.number for billed in server.bill] == [4, 5], "an answer cut in the middle is paid for"


def test_context_window_cache_and_a_script_that_is_a_function() -> None:
    price = Price(models=("m",), since="2026-01-01", input_usd=2.0, cached_usd=1.0, output_usd=4.0, source="test")
    with model_server(lambda asked: tool("bash", command=asked.last), context_tokens=200, cache=True) as server:
        client = openai.OpenAI(base_url=server.openai, api_key="x", max_retries=0)
        first = client.chat.completions.create(model="m", messages=ASK)
        assert first.choices[0].message.tool_calls[0].function.arguments == '{"command": "hello"}'
        client.chat.completions.create(model="m", messages=[*ASK, *ASK])
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x" * 900}])
    one, two = (billed.usage for billed in server.bill)
    assert one.cached_tokens == 0 and two.cached_tokens >= one.input_tokens - 2
    plain = one.input_tokens + two.input_tokens - two.cached_tokens
    by_hand = (plain * 2.0 + two.cached_tokens * 1.0 + (one.output_tokens + two.output_tokens) * 4.0) / 1e6
    assert server.cost_usd(price) == pytest.approx(by_hand)
