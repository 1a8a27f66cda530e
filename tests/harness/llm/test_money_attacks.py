"""Who would spend what the books do not show: lying providers, agents with threads, requests that leave the meter."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EpisodeOver, ModelUnavailable, UsageError
from harness.llm import meter
from harness.llm.base import ModelPlan
from harness.llm.journal import read_journal
from harness.llm.meter import Meter, Models
from harness.llm.provider import _retry_after_s
from harness.llm.spending import Ledger
from harness.schema.prices import Price
from tests.servers.answers import Say
from tests.servers.models import Asked, model_server

PRICE = Price(models=("openai/scripted",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")
HELLO = [{"role": "user", "content": "hello"}]
KEY = "task/seed-0"


def opened(url: str, folder: Path, limit: float = 4.0, time_left: Callable[[], float] = lambda: 60.0) -> Meter:
    (folder / KEY).mkdir(parents=True, exist_ok=True)
    plan = ModelPlan("openai/scripted", url, price=PRICE, max_output_tokens=100)
    return Models(plan, folder, "2026-11-21").open(KEY, folder / KEY, limit, time_left)


@contextmanager
def liar(usage: str) -> Iterator[tuple[str, list[bytes]]]:
    """A provider whose answers carry these very characters as their usage."""
    asked: list[bytes] = []
    choice = '{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}'
    body = f'{{"id": "x", "object": "chat.completion", "model": "m", "choices": [{choice}], "usage": {usage}}}'.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
    finally:
        server.shutdown()
        server.server_close()


NO_COUNTS = ["-5, {}", "5, -1000000", "1" + "0" * 30 + ", {}", "9007199254740993, {}", "0, 0"]


@pytest.mark.parametrize("counts", NO_COUNTS)
def test_counts_that_are_none_cost_the_most_and_nothing_is_paid_again(counts: str, tmp_path: Path) -> None:
    given, wanted = counts.replace("{}", "3").split(", ")
    with liar(f'{{"prompt_tokens": {given}, "completion_tokens": {wanted}, "total_tokens": 1}}') as (url, asked):
        model = opened(url, tmp_path)
        assert model.complete(HELLO).text == "hi" and len(asked) == 1
    (call,) = read_journal(tmp_path / KEY / "calls.jsonl")
    assert (call.call.input_tokens, call.call.output_tokens) == (0, 0)
    assert (call.call.cost_usd or 0) >= 100 * 15e-6 and Ledger(tmp_path).spent_usd() == call.call.cost_usd


@pytest.mark.parametrize("value", ["abc", "nan", "inf", "1e999", "Mon, 01 Jan " + "9" * 20 + " 00:00:00 GMT", ""])
def test_a_nonsensical_retry_after_is_none(value: str) -> None:
    assert _retry_after_s({"retry-after": value}) is None
    assert _retry_after_s({"retry-after-ms": value, "retry-after": "2"}) == 2.0


STRANGE: list[dict[str, Any]] = [
    {"n": 50},
    {"max_completion_tokens": 100_000},
    {"extra_body": {"max_tokens": 100_000}},
    {"mock_response": "free"},
    {"base_url": "http://127.0.0.1:1"},
    {"custom_llm_provider": "anthropic"},
    {"fallbacks": ["openai/other"]},
    {"web_search_options": {}},
]


@pytest.mark.parametrize("params", STRANGE, ids=lambda params: next(iter(params)))
def test_no_parameter_leads_out_of_the_meter(params: dict[str, Any], tmp_path: Path) -> None:
    with model_server([Say("x")]) as server:
        model = opened(server.openai, tmp_path)
        with pytest.raises(UsageError, match=next(iter(params))):
            model.complete(HELLO, params=params)
        with pytest.raises(UsageError, match="function"):
            model.complete(HELLO, [{"type": "web_search_preview"}])
        assert server.asked == [] and model.complete(HELLO, params={"temperature": 0.0}).text == "x"
    assert len(model.paid()) == 1


def test_a_picture_does_not_make_the_next_text_cheap(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 200_000}}
    with liar('{"prompt_tokens": 800, "completion_tokens": 1, "total_tokens": 801}') as (url, asked):
        model = opened(url, tmp_path, limit=2.0)
        model.complete([{"role": "user", "content": [picture]}])
        with pytest.raises(EpisodeOver, match="the next call can cost"):
            model.complete([{"role": "user", "content": "x" * 3_000_000}])
    assert len(asked) == 1


def waiting_server(release: threading.Event, arrived: list[int]) -> Callable[[Asked], Say]:
    def answer(asked: Asked) -> Say:
        arrived.append(asked.number)
        assert release.wait(30)
        return Say("late")

    return answer


def in_thread(call: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    came: list[object] = []

    def run() -> None:
        try:
            came.append(call())
        except Exception as error:
            came.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, came


def until(true: Callable[[], bool]) -> None:
    for _ in range(3000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come to that")


def test_what_is_in_flight_at_the_end_is_booked_and_nothing_is_asked_after(tmp_path: Path) -> None:
    release, arrived = threading.Event(), list[int]()
    with model_server(waiting_server(release, arrived)) as server:
        model = opened(server.openai, tmp_path)
        thread, came = in_thread(lambda: model.complete(HELLO))
        until(lambda: len(arrived) == 1)
        model.end()
        (lost,) = model.paid()
        assert lost.lost and (lost.cost_usd or 0) >= 100 * 15e-6
        release.set()
        thread.join(30)
        assert isinstance(came[0], EpisodeOver) and model.paid() == [lost]
        with pytest.raises(EpisodeOver, match="has ended"):
            model.complete(HELLO)
        model.close()
        assert len(arrived) == 1 and Ledger(tmp_path).left_open(KEY) == []
        assert Ledger(tmp_path).spent_usd() == lost.cost_usd
    assert [line.call.lost for line in read_journal(tmp_path / KEY / "calls.jsonl")] == [True]


def test_a_limit_holds_for_who_catches_it_and_goes_on(tmp_path: Path) -> None:
    with model_server([Say("x" * 400)]) as server:
        model = opened(server.openai, tmp_path, limit=0.002)
        with pytest.raises(EpisodeOver):
            for _ in range(10):
                model.complete(HELLO)
        asked = len(server.asked)
        for most in (1, 2, 3):
            with pytest.raises(EpisodeOver) as over:
                model.complete(HELLO, max_output_tokens=most)
            assert over.value is model.over and over.value.status == "cost"
        assert len(server.asked) == asked


def test_calls_at_once_wait_for_each_others_reservations(tmp_path: Path) -> None:
    """Three calls that can cost 1.5 thousandths each and do cost little, under a limit of two thousandths."""
    release, arrived = threading.Event(), list[int]()
    with model_server(waiting_server(release, arrived)) as server:
        model = opened(server.openai, tmp_path, limit=0.0022)
        begun = [in_thread(lambda: model.complete(HELLO)) for _ in range(3)]
        until(lambda: len(arrived) == 1)
        threading.Event().wait(0.3)
        assert len(arrived) == 1, "the others would pass the limit"
        release.set()
        for thread, _ in begun:
            thread.join(30)
    assert [getattr(came[0], "text", came[0]) for _, came in begun] == ["late"] * 3
    assert model.over is None and Ledger(tmp_path).spent_usd() <= 0.0022


def test_an_unreachable_model_leaves_no_reservation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.01)
    model = opened("http://127.0.0.1:1/v1", tmp_path)
    with pytest.raises(ModelUnavailable):
        model.complete(HELLO)
    model.end()
    assert model.paid() == [] and Ledger(tmp_path).spent_usd() == 0.0
    assert all(json.loads(line)["usd"] == 0 for line in _settled(tmp_path))


def _settled(folder: Path) -> list[str]:
    return [line for line in (folder / "spending.jsonl").read_text().splitlines() if '"settle"' in line]
