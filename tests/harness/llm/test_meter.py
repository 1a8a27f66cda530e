"""The metered model: what is paid is booked, what is booked is bounded, what was answered is never asked again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import EpisodeOver, ModelUnavailable, RunSpent, UsageError
from harness.llm import meter
from harness.llm.base import ModelPlan
from harness.llm.journal import read_journal
from harness.llm.meter import Meter, Models
from harness.llm.spending import Ledger
from harness.schema.calls import total
from harness.schema.prices import Price
from tests.servers.answers import Cut, Say, overloaded, rate_limited, refusal
from tests.servers.models import ModelServer, Script, model_server

PRICE = Price(
    models=("openai/scripted",),
    since="2026-01-01",
    input_usd=3.0,
    cached_usd=0.3,
    output_usd=15.0,
    source="test",
)
HELLO = [{"role": "user", "content": "hello"}]
DAY = "2026-11-21"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.01)


def plan(server: ModelServer, **more: Any) -> ModelPlan:
    return ModelPlan("openai/scripted", server.openai, price=PRICE, max_output_tokens=100, **more)


def opened(
    server: ModelServer,
    folder: Path,
    key: str = "task/seed-0",
    limit: float = 4.0,
    time_left: Callable[[], float] = lambda: 60.0,
    **more: Any,
) -> Meter:
    (folder / key).mkdir(parents=True, exist_ok=True)
    return Models(plan(server, **more), folder, DAY).open(key, folder / key, limit, time_left)


def test_the_books_are_the_servers_own(tmp_path: Path) -> None:
    script = [Say("one", cached_tokens=7), rate_limited(0.01), overloaded(529), Say("two"), overloaded(503), refusal()]
    with model_server(script) as server:
        model = opened(server, tmp_path)
        replies = [model.complete(HELLO), model.complete(HELLO), model.complete(HELLO)]
        assert [reply.text for reply in replies][:2] == ["one", "two"]
        assert replies[2].finish == "content_filter"
        assert total(list(model.paid())).reported_cost_usd == pytest.approx(server.cost_usd(PRICE), abs=1e-12)
        assert [call.retries for call in model.calls()] == [0, 2, 1]
    usage = total(list(model.paid()))
    assert (usage.input_tokens, usage.cached_tokens) == (sum(b.usage.input_tokens for b in server.bill), 7)
    assert Ledger(tmp_path).spent_usd() == pytest.approx(server.cost_usd(PRICE), abs=1e-12)


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    asks = [[{"role": "user", "content": text}] for text in ("a", "a", "b")]
    with model_server(lambda asked: Say(f"{asked.last} {asked.number}")) as server:
        first = opened(server, tmp_path)
        said = [first.complete(ask).text for ask in asks]
        again = opened(server, tmp_path)
        assert again.calls() == [] and again.left_usd == 4.0
        assert [again.complete(ask).text for ask in asks] == said == ["a 0", "a 1", "b 2"]
        assert len(server.asked) == 3
        assert again.calls() == first.calls() and again.left_usd == first.left_usd
        assert again.complete(HELLO).text == "hello 3"


def test_a_cut_answer_is_booked_at_its_worst_and_asked_again(tmp_path: Path) -> None:
    with model_server([Cut("middle"), Cut("before"), Say("whole")]) as server:
        model = opened(server, tmp_path)
        assert model.complete(HELLO).text == "whole"
    assert [call.lost for call in model.calls()] == [True, True, False]
    booked = sum(call.cost_usd or 0.0 for call in model.calls())
    assert booked >= server.cost_usd(PRICE) and Ledger(tmp_path).spent_usd() == pytest.approx(booked)
    with model_server([Cut("before")]) as server:
        with pytest.raises(ModelUnavailable):
            opened(server, tmp_path, "task/seed-1").complete(HELLO)
        assert len(server.asked) == 1 + meter.LOST_TRIES


def test_a_call_in_flight_at_a_kill_is_lost_once(tmp_path: Path) -> None:
    with model_server([Say("answer")]) as server:
        model = opened(server, tmp_path)
        model.complete(HELLO)
        killed = model._ledger.reserve("task/seed-0", 0.25, 4.0, "2026-11-21T10:00:00Z", "0" * 64)
        for _ in range(2):  # whoever comes after it, however often
            after = opened(server, tmp_path)
            lost = [call for call in after.paid() if call.lost]
            assert [(call.cost_usd, call.request_sha256) for call in lost] == [(0.25, "0" * 64)]
            assert Ledger(tmp_path).left_open("task/seed-0") == []
    names = [line.id for line in read_journal(tmp_path / "task/seed-0" / "calls.jsonl")]
    assert names[-1] == killed and len(set(names)) == len(names)


def test_killed_between_journal_and_ledger(tmp_path: Path) -> None:
    with model_server([Say("answer")]) as server:
        opened(server, tmp_path).complete(HELLO)
        spending = tmp_path / "spending.jsonl"
        spending.write_bytes(b"".join(spending.read_bytes().splitlines(keepends=True)[:-1]) + b'{"kind": "set')
        assert Ledger(tmp_path).spent_usd() > server.cost_usd(PRICE)
        after = opened(server, tmp_path)
        assert Ledger(tmp_path).spent_usd() == pytest.approx(server.cost_usd(PRICE))
        assert after.complete(HELLO).text == "answer" and len(server.asked) == 1


def test_no_call_that_could_pass_a_limit(tmp_path: Path) -> None:
    answers: Script = [Say("x" * 400)]
    with model_server(answers) as server:
        model = opened(server, tmp_path, limit=0.01)
        with pytest.raises(EpisodeOver, match="episode's") as over:
            while True:
                model.complete(HELLO)
        assert over.value.status == "cost" and not isinstance(over.value, RunSpent)
        assert 0.005 < server.cost_usd(PRICE) <= 0.01
        asked = len(server.asked)
        with pytest.raises(RunSpent, match="run's"):
            opened(server, tmp_path, "task/seed-1", run_cost_usd=0.0101).complete(HELLO)
        assert len(server.asked) == asked, "nothing was asked"


def test_the_plan_can_only_lower_the_tasks_limit(tmp_path: Path) -> None:
    with model_server([Say("x")]) as server:
        assert opened(server, tmp_path, limit=4.0, episode_cost_usd=1.0).limit_usd == 1.0
        assert opened(server, tmp_path, limit=4.0, episode_cost_usd=9.0).limit_usd == 4.0


def test_a_wait_beyond_the_episodes_end_ends_it(tmp_path: Path) -> None:
    with model_server([rate_limited(3600)]) as server:
        with pytest.raises(EpisodeOver) as over:
            opened(server, tmp_path).complete(HELLO)
        assert (over.value.status, len(server.asked)) == ("wall_time", 1)
        with pytest.raises(EpisodeOver):
            opened(server, tmp_path, time_left=lambda: 0.0).complete(HELLO)
        assert len(server.asked) == 1
    assert Ledger(tmp_path).spent_usd() == 0.0


def test_a_provider_that_counts_nothing_is_booked_at_the_most(tmp_path: Path) -> None:
    with model_server([Say("free?", counted=False)]) as server:
        model = opened(server, tmp_path)
        model.complete(HELLO)
    call = model.paid()[0]
    assert (call.input_tokens, call.output_tokens) == (0, 0) and (call.cost_usd or 0) >= 100 * 15e-6


def test_no_price_no_start(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--price"):
        Models(ModelPlan("openai/unheard-of", "http://127.0.0.1:1"), tmp_path, DAY)
    with pytest.raises(UsageError, match="2025-07-01"):  # the table knows it, on a later day
        Models(ModelPlan("openai/gpt-4o", "http://127.0.0.1:1"), tmp_path, "2025-07-01")
    assert Models(ModelPlan("openai/gpt-4o", "http://127.0.0.1:1"), tmp_path, DAY).price.input_usd == 2.5


def test_a_hostile_spending_file_is_refused(tmp_path: Path) -> None:
    from harness.errors import SchemaError

    line = {"kind": "settle", "id": "a#0", "usd": -5.0, "time": "2026-11-21T10:00:00Z", "request_sha256": "0" * 64}
    (tmp_path / "spending.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(SchemaError):
        Ledger(tmp_path).spent_usd()
