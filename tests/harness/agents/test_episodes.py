"""Whole episodes of react through litellm's HTTP path: a provider with every fault, real tasks, real graders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agents.replay import replay_agent
from harness.llm import meter
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.steps import read_steps
from harness.schema.task import tasks_root
from tests.harness.agents.everything import PRICE, play, steps
from tests.servers.answers import Cut

CPU_TASKS = ("battle-of-sexes", "colonel-blotto", "house-price", "prisoners-dilemma", "three-sat")


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.mark.parametrize("task", CPU_TASKS)
def test_a_whole_episode_against_every_fault(
    task: str, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.2)
    place = place_of(tasks_root() / task, "smoke", engine, None)
    played = play(place, tmp_path)
    episode, folder = played.episode, tmp_path / task / "seed-0"
    assert (episode.exit_status, episode.trace) == ("success", steps(place.task.starter_command)), episode.exit_detail
    sealed = episode.attempts[-1].sealed
    assert sealed is not None and sealed.valid
    billed = played.server.cost_usd(PRICE)
    assert played.recorded_usd == pytest.approx(billed, abs=0.01), "to the cent, what was lost included"
    asked = played.server.asked
    cut = [PRICE.cost_usd(one.usage) for one in played.server.bill if isinstance(asked[one.number].answer, Cut)]
    answered = played.recorded_usd - played.lost_usd
    assert answered == pytest.approx(billed - sum(cut), abs=1e-12) and played.lost_usd >= sum(cut) > 0
    lines = list(read_steps(folder / "steps.jsonl"))
    told = [line.observation for line in lines]
    assert "are not JSON" in told[4] and "no longer be valid Python" in told[6]
    assert len(told[9]) < 200_000 and "bytes left out" in told[9]
    paid = [call for line in lines for call in line.calls]
    assert sum(call.cost_usd or 0.0 for call in paid) == pytest.approx(played.recorded_usd)
    again = run_episode(place, replay_agent(folder / "steps.jsonl"), 0, tmp_path / "again")
    assert [a.artifact_sha256 for a in again.attempts] == [a.artifact_sha256 for a in episode.attempts]
    seen = [line.observation for line in read_steps(tmp_path / "again" / "steps.jsonl")]
    assert [seen[at] for at in (2, 3, 5, 6, 7)] == [told[at] for at in (2, 3, 5, 6, 7)], "tools show the same again"
