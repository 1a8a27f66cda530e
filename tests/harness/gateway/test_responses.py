"""OpenAI's own client against /v1/responses: plain, streamed, tools, pictures, formats, errors; the bill agrees."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from harness.gateway import server
from tests.harness.gateway.clients import agrees, of_openai
from tests.harness.gateway.conftest import MODEL, Open
from tests.harness.gateway.test_attacks import PIXEL
from tests.servers.answers import Call, Refuse, Say, rate_limited, refusal, too_long

TOOL: Any = {
    "type": "function",
    "name": "count",
    "description": "counts",
    "strict": None,
    "parameters": {"type": "object"},
}
TOLD = Say("I count.", (Call("count", {"of": "sheep"}, "call_7"),), reasoning="Sheep, then.")


def test_it_speaks_and_calls_tools(opened: Open) -> None:
    here = opened([TOLD, Say("seven", cached_tokens=5, reasoning_tokens=1)])
    client = of_openai(here)
    first = client.responses.create(
        model=MODEL, input="how many?", instructions="Count.", tools=[TOOL], temperature=0.5, max_output_tokens=50
    )
    assert [item.type for item in first.output] == ["reasoning", "message", "function_call"]
    assert first.output_text == "I count." and first.status == "completed" and first.tools[0].name == "count"  # type: ignore[union-attr]
    call = first.output[2]
    assert (call.call_id, call.name, call.arguments) == ("call_7", "count", '{"of": "sheep"}')  # type: ignore[union-attr]
    said: Any = [{"role": "user", "content": "how many?"}, *first.output]
    said.append({"type": "function_call_output", "call_id": "call_7", "output": "7"})
    second = client.responses.create(model=MODEL, input=said, instructions="Count.", tools=[TOOL], store=False)
    assert second.output_text == "seven" and second.usage is not None
    assert second.usage.input_tokens_details.cached_tokens == 5
    assert second.usage.output_tokens == here.server.bill[1].usage.output_tokens
    assert second.usage.output_tokens_details.reasoning_tokens == 1
    sent = here.server.asked[0].body
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 50)
    assert sent["messages"] == [{"role": "system", "content": "Count."}, {"role": "user", "content": "how many?"}]
    told = here.server.asked[1].messages
    assert [message["role"] for message in told] == ["system", "user", "assistant", "tool"]
    assert told[2]["content"] == "I count." and told[2]["tool_calls"][0]["id"] == told[3]["tool_call_id"] == "call_7"
    agrees(here)


def test_it_streams(opened: Open) -> None:
    here = opened([TOLD, Say(output_tokens=100, finish="length", text="so")])
    client = of_openai(here)
    heard = list(client.responses.create(model=MODEL, input="how many?", tools=[TOOL], stream=True))
    kinds = [event.type for event in heard]
    assert [event.sequence_number for event in heard] == list(range(len(heard)))  # type: ignore[union-attr]
    assert kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] == "response.completed"
    assert "".join(event.delta for event in heard if event.type == "response.output_text.delta") == "I count."
    *_, last = client.responses.create(model=MODEL, input="how many?", stream=True)
    assert last.type == "response.incomplete" and last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens" and last.response.output_text == "so"
    agrees(here)


def test_the_helper_of_the_client_builds_the_same_answer_of_a_stream(opened: Open) -> None:
    here = opened([TOLD, TOLD])
    client = of_openai(here)
    whole = client.responses.create(model=MODEL, input="how many?", tools=[TOOL])
    with client.responses.stream(model=MODEL, input="how many?", tools=[TOOL]) as stream:
        final = stream.get_final_response()
    one, two = (tree.model_dump()["output"] for tree in (whole, final))
    assert [item["type"] for item in one] == ["reasoning", "message", "function_call"]
    for left, right in zip(one, two, strict=True):
        same = set(left) - {"id", "parsed_arguments"}
        assert {name: left[name] for name in same} == {name: right[name] for name in same} or left["type"] == "message"
    assert final.output_text == whole.output_text


class Counted(BaseModel):
    """What is asked for."""

    sheep: int


def test_a_format_is_asked_for_and_read(opened: Open) -> None:
    here = opened([Say('{"sheep": 7}')])
    answer = of_openai(here).responses.parse(model=MODEL, input="how many?", text_format=Counted)
    assert answer.output_parsed == Counted(sheep=7)
    asked = here.server.asked[0].body["response_format"]
    assert asked["type"] == "json_schema" and asked["json_schema"]["schema"]["required"] == ["sheep"]


def test_every_kind_of_item_becomes_a_message_in_its_place(opened: Open) -> None:
    here = opened([Say("fine")])
    url = f"data:image/png;base64,{PIXEL}"
    picture = {"type": "input_image", "image_url": url, "detail": "auto"}
    said = {"type": "message", "role": "assistant", "id": "msg_0", "status": "completed"}
    items: Any = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "see"}, picture]},
        {"type": "reasoning", "id": "rs_of_another", "summary": [], "encrypted_content": "gAAAAABother"},
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
        {"type": "function_call", "call_id": "b", "name": "look", "arguments": "{}", "id": "fc_1"},
        {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}, picture]},
        {"type": "function_call_output", "call_id": "b", "output": "y"},
        {**said, "content": [{"type": "output_text", "text": "done", "annotations": []}]},
        {"type": "message", "role": "user", "content": "and now?"},
    ]
    of_openai(here).responses.create(model=MODEL, input=items)
    image = {"type": "image_url", "image_url": {"url": url, "detail": "auto"}}
    look = {"name": "look", "arguments": "{}"}
    assert here.server.asked[0].messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "see"}, image]},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "a", "type": "function", "function": look},
                {"id": "b", "type": "function", "function": look},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "x"}]},
        {"role": "tool", "tool_call_id": "b", "content": "y"},
        {"role": "user", "content": [image]},
        {"role": "assistant", "content": "done"},
        {"role": "user", "content": "and now?"},
    ]


def test_trouble_is_told_in_the_clients_own_words(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Refuse(400, "temperature must be 1 for this model", "invalid_request_error")
    here = opened([rate_limited(0.01), Say("after"), too_long(), bad, refusal("No."), rate_limited(0.3), too_long()])
    client = of_openai(here)
    assert client.responses.create(model=MODEL, input="x").output_text == "after"
    with pytest.raises(openai.BadRequestError) as long:
        client.responses.create(model=MODEL, input="x")
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError, match="temperature must be 1"):
        client.responses.create(model=MODEL, input="x")
    declined = client.responses.create(model=MODEL, input="x")
    assert declined.output[0].content[0].refusal == "No."  # type: ignore[union-attr]
    monkeypatch.setattr(server, "PATIENCE_S", 0.05)
    *_, last = client.responses.create(model=MODEL, input="x", stream=True)
    assert last.type == "response.failed" and last.response.error is not None
    assert json.loads(last.response.error.model_dump_json())["code"] == "context_length_exceeded"
    agrees(here)
