"""gymboard replay: the same run twice, another story, a clock in the artifact; from a folder and from a bundle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gymboard
from harness.agents.baseline import baseline_agent
from harness.agents.scripted import ScriptedAgent
from harness.errors import UsageError
from harness.pack import pack
from harness.replay import recorded, replay
from harness.replay.weigh import paced
from harness.runner.place import Place
from harness.runner.run import RunPlan, place_of, run_episode, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.bundle import Entry
from harness.schema.run import RunManifest
from harness.schema.steps import Action, StepLine
from harness.schema.task import tasks_root

TASK = "colonel-blotto"


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "baseline"
    plan = RunPlan(
        "baseline", folder, [TASK], tasks_root(), range(1), "smoke", lambda place, _: baseline_agent(place.task)
    )
    assert [ended.failure for ended in run_episodes(plan, engine)] == [""]
    return folder


@pytest.fixture
def place(engine: Engine) -> Place:
    return place_of(tasks_root() / TASK, "smoke", engine, None)


def test_the_same_run_from_its_folder_and_from_its_bundle(
    run: Path, engine: Engine, place: Place, tmp_path: Path
) -> None:
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    entry = Entry(id="me", agent="baseline", agent_version=manifest.agent_version, date="2026-11-20")
    pack(run, tmp_path / "me", entry, "local")
    from_bundle = recorded(f"{tmp_path / 'me'}#{TASK}/0")
    assert from_bundle.steps == recorded(str(run / TASK / "seed-0")).steps
    found = replay(from_bundle, place, tmp_path / "again")
    assert found.same and found.grades_agree and found.diverged_at is None
    assert [attempt.recorded_sha256 for attempt in found.attempts] == [
        attempt.artifact_sha256 for attempt in from_bundle.episode.attempts
    ]
    where = str(run / TASK / "seed-0")
    result = CliRunner().invoke(gymboard.app, ["replay", where, "--sandbox", engine.kind, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["same"] is True


def test_another_story_is_found_at_its_step(run: Path, place: Place, tmp_path: Path) -> None:
    was = recorded(str(run / TASK / "seed-0"))
    first = was.steps[0].model_copy(update={"action": Action(kind="bash", command="cp baseline.py strategy.py; false")})
    forged = type(was)(was.episode, (first, *was.steps[1:]))
    found = replay(forged, place, tmp_path / "again")
    assert not found.same and found.diverged_at == 1 and "exit code 0 was recorded, 1 came" in found.divergence
    assert found.grades_agree, "its artifact is the same all the same"


def test_other_bytes_with_the_same_grade_are_no_same_run(place: Place, tmp_path: Path) -> None:
    clock = Action(kind="bash", command="(cat baseline.py; date +'# %s.%N') > strategy.py")
    agent = ScriptedAgent("clock", [clock, Action(kind="validate"), Action(kind="submit")])
    run_episode(place, agent, 0, tmp_path / "was")
    found = replay(recorded(str(tmp_path / "was")), place, tmp_path / "again")
    assert found.diverged_at is None and found.grades_agree and not found.same
    assert all(attempt.recorded_sha256 != attempt.replayed_sha256 for attempt in found.attempts)


def test_what_is_not_there_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no episode\.json"):
        recorded(str(tmp_path))
    result = CliRunner().invoke(gymboard.app, ["replay", str(run / TASK / "seed-0"), "--out", str(tmp_path)])
    assert isinstance(result.exception, UsageError)


def test_what_the_harness_handed_in_at_a_limit_it_hands_in_again(place: Place, tmp_path: Path) -> None:
    """A run that met its cost limit after three steps: the last valid artifact, not the broken one that lies there."""
    good = Action(kind="bash", command="cp baseline.py strategy.py")
    broken = Action(kind="bash", command="echo 'no python' > strategy.py")
    agent = ScriptedAgent("cut", [good, Action(kind="validate"), broken])
    limits = place.task.limits.model_copy(update={"steps": 3})
    short = replace(place, task=place.task.model_copy(update={"limits": limits}))
    run_episode(short, agent, 0, tmp_path / "was")
    was = recorded(str(tmp_path / "was"))
    assert [line.by for line in was.steps] == ["agent", "agent", "agent", "harness"]
    found = replay(was, place, tmp_path / "again")
    assert found.same and len(found.attempts) == 2


def step(exit_code: int | None) -> StepLine:
    action = Action(kind="bash", command="python train.py")
    return StepLine(
        step=1, time="2026-11-21T10:00:00Z", action=action, observation="", exit_code=exit_code, duration_s=1.0
    )


def test_a_time_limit_that_one_side_met_is_the_machines_doing() -> None:
    assert paced([step(0)], [step(None)]) and paced([step(None)], [step(1)])
    assert not paced([step(0)], [step(1)]) and not paced([step(None)], [step(None)])
