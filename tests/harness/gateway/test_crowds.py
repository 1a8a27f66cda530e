"""Many at once, and the rude: answers are not mixed, limits hold, nobody who is slow or vast holds up the others."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.gateway import door, kept
from harness.gateway.kept import Kept
from harness.llm.spending import Ledger
from harness.schema.calls import Reply, ReplyCall, Thinking
from tests.harness.gateway.clients import agrees, of_anthropic, of_openai
from tests.harness.gateway.conftest import MODEL, PRICE, Open, Set
from tests.harness.gateway.test_attacks import HEAD
from tests.servers.answers import Say
from tests.servers.models import Asked


def echo(asked: Asked) -> Say:
    return Say(f"heard {asked.last}", delay_s=0.05)


def by_chat(here: Set, word: str) -> str:
    said: Any = [{"role": "user", "content": word}]
    pieces = of_openai(here).chat.completions.create(model=MODEL, messages=said, stream=True)
    return "".join(choice.delta.content or "" for piece in pieces for choice in piece.choices)


def by_messages(here: Set, word: str) -> str:
    said: Any = [{"role": "user", "content": word}]
    with of_anthropic(here).messages.stream(model=MODEL, max_tokens=50, messages=said) as stream:
        return "".join(stream.text_stream)


def by_responses(here: Set, word: str) -> str:
    heard = of_openai(here).responses.create(model=MODEL, input=word, stream=True)
    return "".join(event.delta for event in heard if event.type == "response.output_text.delta")


def test_streams_at_once_are_not_mixed_and_all_are_booked(opened: Open) -> None:
    here = opened(echo)
    ways = [by_chat, by_messages, by_responses] * 8
    import anthropic.resources.messages  # noqa: F401 - threads that load one module of these at once lock each other out
    import openai.resources.chat
    import openai.resources.responses  # noqa: F401

    with ThreadPoolExecutor(len(ways)) as pool:
        heard = list(pool.map(lambda one: one[1](here, f"word {one[0]}"), enumerate(ways)))
    assert heard == [f"heard word {number}" for number in range(len(ways))]
    assert [call.index for call in here.meter.paid()] == list(range(len(ways)))
    agrees(here)


def test_a_limit_holds_for_all_that_ask_at_once(opened: Open, tmp_path: Any) -> None:
    limit = 0.01
    here = opened(lambda asked: Say("dear", output_tokens=100, delay_s=0.02), limit=limit)

    def ask(number: int) -> int:
        body = {"model": MODEL, "messages": [{"role": "user", "content": f"{number}"}]}
        return here.post(body)[0]

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(ask, range(48)))
    paid = answers.count(200)
    assert set(answers) == {200, 403} and 0 < paid == len(here.server.bill)
    assert here.server.cost_usd(PRICE) <= limit
    assert Ledger(tmp_path).spent_usd() == pytest.approx(here.server.cost_usd(PRICE))
    assert here.gateway.over is not None and here.door.fault is None


def test_who_closes_his_half_hears_the_answer(opened: Open) -> None:
    here = opened(echo)
    for stream in (False, True):
        body = json.dumps({"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "x"}]})
        answer = here.raw(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode(), end=True)
        assert answer.startswith(b"HTTP/1.1 200") and b"heard x" in answer
    agrees(here)


def test_a_head_of_ten_megabytes_is_not_read_to_its_end(opened: Open) -> None:
    here = opened(echo)
    for head in (
        f"{HEAD}X: {'y' * (10 << 20)}\r\n\r\n",
        HEAD + "X: y\r\n" * (1 << 20),
        f"POST /{'z' * (10 << 20)} HTTP/1.1\r\n",
    ):
        answer = here.raw(head.encode())
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert by_chat(here, "a") == "heard a" and len(here.server.asked) == 1


def gone(connection: socket.socket) -> bool:
    """Whether the other side has let go, said by a byte that it does not take or an end that it sends."""
    connection.settimeout(0.2)
    try:
        connection.sendall(b" ")
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_who_trickles_a_body_is_let_go(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "RECEIVE_S", 1.0)
    here = opened(echo)
    with here.raw_socket() as slow:
        slow.sendall(f"{HEAD}Content-Length: 1000\r\n\r\n".encode())
        assert any(gone(slow) for _ in range(300)), "each byte came in time, and the whole did not"
    assert by_chat(here, "a") == "heard a" and len(here.server.asked) == 1


def test_who_never_reads_holds_his_own_connection_alone(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "SEND_S", 1.0)
    here = opened(lambda asked: Say("x" * 3_000_000, output_tokens=5))
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "x"}]})
    with here.raw_socket() as deaf:
        deaf.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert len(by_chat(here, "a")) == 3_000_000
        deadline = time.monotonic() + 60
        while here.door._peers and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not here.door._peers, "his connection is given back while he still holds his end"
    assert len(here.meter.paid()) == 2
    agrees(here)


def test_what_is_kept_of_reasoning_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_CHARS", 10_000)
    mine = Kept()
    for number in range(100):
        thought = Thinking(type="thinking", thinking="x" * 1000, signature="s")
        mine.note(Reply(thinking=(thought,), calls=(ReplyCall(id=f"c{number}", name="f", arguments="{}"),)))
    asked = [
        {"role": "assistant", "tool_calls": [{"id": f"c{number}", "function": {"name": "f", "arguments": "{ }"}}]}
        for number in range(100)
    ]
    back = ["thinking_blocks" in message for message in mine.restored(asked)]
    assert back[-5:] == [True] * 5 and back.count(True) < 10 and back == sorted(back)
