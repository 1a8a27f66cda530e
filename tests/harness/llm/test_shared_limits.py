"""A provider's wish to be left alone, heard by one process of a run, holds for all of them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from harness.llm.holds import FILE, LONGEST_S, Holds
from tests.harness.runner.run_once import forked, one_episode
from tests.servers.answers import Answer, rate_limited, tool
from tests.servers.models import Asked, model_server

WISH_S, ON_THEIR_WAY_S = 6.0, 1.0


@pytest.mark.timeout(600)
def test_one_is_told_and_all_wait(tmp_path: Path) -> None:
    """Three episodes in three processes; the fifth request is refused with Retry-After."""
    came: list[float] = []

    def script(asked: Asked) -> Answer:
        came.append(time.monotonic())
        if len(came) == 5:
            return rate_limited(WISH_S)
        done = sum(message["role"] == "assistant" for message in asked.messages)
        return tool("bash", command="true") if done < 8 else tool("submit")

    with model_server(script) as server:
        players = [forked(one_episode, server.openai, tmp_path, seed, 100.0) for seed in range(3)]
        for player in players:
            player.join(300)
        assert [player.exitcode for player in players] == [0] * 3
        assert len(server.bill) == 27
    told = came[4]
    assert len(came) == 28, "nobody else had to be told"
    assert not [at for at in came if told + ON_THEIR_WAY_S < at < told + WISH_S], "nobody asked meanwhile"
    assert came[-1] > told + WISH_S


def test_a_hold_is_counted_by_each_process_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that jumps neither ends a hold that was seen nor makes one longer than the provider's wish."""
    teller, hearer = Holds(tmp_path), Holds(tmp_path)
    assert hearer.held_s("m") == 0.0
    teller.hold("m", 30.0)
    assert 29.0 < hearer.held_s("m") <= 30.0 and hearer.held_s("other") == 0.0
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real - 86_400)
    assert 29.0 < hearer.held_s("m") <= 30.0
    assert 29.0 < Holds(tmp_path).held_s("m") <= 30.0, "who comes after a jump back waits one wish, not a day"
    monkeypatch.setattr(time, "time", lambda: real + 86_400)
    assert 29.0 < hearer.held_s("m") <= 30.0
    assert Holds(tmp_path).held_s("m") == 0.0


def test_a_hold_ends_is_prolonged_and_never_shortened(tmp_path: Path) -> None:
    holds = Holds(tmp_path)
    holds.hold("m", 0.2)
    holds.hold("m", 0.1)
    assert 0.1 < holds.held_s("m") <= 0.2
    holds.hold("m", 20.0)
    holds.hold("other", 0.05)
    time.sleep(0.06)
    assert holds.held_s("m") > 19.0 and holds.held_s("other") == 0.0
    before = (tmp_path / FILE).read_bytes()
    holds.hold("m", LONGEST_S + 1)
    assert (tmp_path / FILE).read_bytes() == before, "a wish for hours is for each to hear itself"
    assert set(json.loads(before)) == {"m", "other"}
