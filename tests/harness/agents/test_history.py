"""What the model is sent: old observations go in blocks, so that most of each request was in the one before."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from harness.agents.react.history import History, clipped
from harness.agents.react.parse import forms, native_actions
from harness.schema.calls import Reply, ReplyCall

LONG = "x" * 3000


def history(window: int = 8, block: int = 8, *, native: bool = True) -> History:
    return History("system", "task", window=window, block=block, native=native)


def step(past: History, number: int, text: str = LONG) -> None:
    call = ReplyCall(id=f"c{number}", name="bash", arguments=json.dumps({"command": f"echo {number}"}))
    past.answered(Reply(text=f"thought {number}", calls=(call,)))
    past.observed(f"{number} {text}")


def shares(window: int, block: int, steps: int = 64) -> list[float]:
    """Of each request: how much of its text the request before began with."""
    past, sent = history(window, block), []
    for number in range(steps):
        step(past, number)
        sent.append("".join(json.dumps(message) for message in past.messages()))
    return [
        next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
        / len(two)
        for one, two in pairwise(sent)
    ]


def test_most_of_a_request_was_in_the_one_before() -> None:
    blocks, line = shares(8, 8), shares(8, 1)
    settled = slice(20, None)
    broken = [share for share in blocks[settled] if share < 0.5]
    assert len(broken) <= len(blocks[settled]) / 8 + 1, "only when a block goes is the prefix short"
    mean = sum(blocks[settled]) / len(blocks[settled])
    assert mean > 0.8 and sum(line[settled]) / len(line[settled]) < 0.5 < mean


@pytest.mark.parametrize(("window", "block"), [(1, 1), (3, 5), (8, 8), (2, 50)])
def test_the_window_is_whole_and_not_much_more(window: int, block: int) -> None:
    past = history(window, block)
    for number in range(60):
        step(past, number)
        whole = [message for message in past.messages() if LONG in str(message["content"])]
        assert min(window, number + 1) <= len(whole) < window + block
        assert str(whole[-1]["content"]).startswith(f"{number} ")
    stubs = [message for message in past.messages() if "left out" in str(message["content"])]
    assert "59 characters" not in str(stubs) and all(message["role"] == "tool" for message in stubs)


def test_short_observations_stay() -> None:
    past = history(1, 1)
    for number in range(5):
        step(past, number, "validation accuracy = 0.5")
    assert sum("accuracy" in str(message["content"]) for message in past.messages()) == 5


def test_every_call_has_its_answer_in_the_providers_format() -> None:
    past = history()
    calls = (
        ReplyCall(id="a", name="bash", arguments="{not json"),
        ReplyCall(id="a", name="no such tool!", arguments='["list"]'),
    )
    past.answered(Reply(calls=calls))
    past.observed("one")
    past.observed("two")
    past.answered(Reply(text=""))
    past.observed("no call")
    spoken, one, two, empty, told = past.messages()[2:]
    sent = spoken["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in sent] == [
        {"unreadable": "{not json"},
        {"unreadable": '["list"]'},
    ]
    assert [call["id"] for call in sent] == [one["tool_call_id"], two["tool_call_id"]] and sent[0]["id"] != sent[1][
        "id"
    ]
    assert sent[1]["function"]["name"] == "no_such_tool_"
    assert empty["content"] and (told["role"], told["content"]) == ("user", "no call")


def test_the_text_protocol_sends_no_tool_messages() -> None:
    past = history(native=False)
    step(past, 0)
    assert [message["role"] for message in past.messages()] == ["system", "user", "assistant", "user"]


def test_folding_keeps_the_last_turns_and_what_was_summed_up() -> None:
    past = history(4, 4)
    for number in range(10):
        step(past, number)
    record = past.foldable()
    assert "turn 1: thought 0" in record and "echo 7" in record and "echo 8" not in record
    assert past.leave_out_more() and not past.leave_out_more()
    past.fold("it went well")
    assert past.foldable() == ""
    sent = past.messages()
    assert len(sent) == 2 + 4 and "it went well" in sent[1]["content"] and "first 8 turns" in sent[1]["content"]
    assert LONG in sent[3]["content"] and LONG in sent[5]["content"]
    for number in range(10, 20):
        step(past, number)
    assert "it went well" in past.foldable() and "turn 9: thought 8" in past.foldable()


def test_marks_stand_at_the_border_and_at_the_end() -> None:
    past = history(2, 2)
    assert [bool(message.get("cache_control")) for message in past.messages(marks=True)] == [True, True]
    for number in range(9):
        step(past, number)
    marked = [at for at, message in enumerate(past.messages(marks=True)) if "cache_control" in message]
    whole = [at for at, message in enumerate(past.messages()) if LONG in str(message["content"])]
    assert marked == [0, whole[0] - 2, len(past.messages()) - 1], "the last message that a later request has unchanged"
    bare = [
        {key: value for key, value in message.items() if key != "cache_control"}
        for message in past.messages(marks=True)
    ]
    assert bare == past.messages()


def test_a_cut_keeps_head_and_tail() -> None:
    text = "a" * 900 + "b" * 900
    cut = clipped(text, 600)
    assert cut.startswith("a" * 400 + "\n[... 1200 characters") and cut.endswith("]\n" + "b" * 200)
    assert clipped("short", 600) == "short"


def test_what_is_clipped_is_clipped_once() -> None:
    past = history()
    step(past, 0)
    assert past.clip(2000) and not past.clip(2000)
    assert "left out" in str(past.messages()[-1]["content"])


def test_the_signature_of_a_thought_in_a_calls_id_goes_back_whole() -> None:
    """litellm writes Gemini's so, and Gemini 3 refuses calls without it."""
    past, signed = history(), "call_1__thought__" + "QUJD" * 500 + "=="
    past.answered(Reply(calls=(ReplyCall(id=signed, name="bash", arguments="{}"),)))
    past.observed("x")
    _, _, answer, result = past.messages()
    assert answer["tool_calls"][0]["id"] == result["tool_call_id"] == signed
    assert (
        native_actions(Reply(calls=(ReplyCall(id=signed, name="bash", arguments="{}"),)), forms(()))[0].call_id
        == "call_1"
    ), "for the record"
