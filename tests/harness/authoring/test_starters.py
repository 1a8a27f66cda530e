"""Starters and datasets: what the agent finds, what is recorded, and that only the whole starter can be entered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agents.baseline import baseline_agent
from harness.agents.oracle import oracle_agent, oracle_artifact
from harness.agents.scripted import ScriptedAgent
from harness.check import check
from harness.errors import SchemaError, UsageError
from harness.pack import pack
from harness.proof import gains
from harness.regrade import regrade
from harness.runner.place import Place
from harness.runner.run import RunPlan, place_of, run_episode, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.bundle import Bundle, Entry
from harness.schema.episode import Episode
from harness.schema.starter import StarterName
from harness.schema.steps import Action, read_steps
from harness.schema.task import load_task, load_tasks, tasks_root

THREE = ["house-price", "colonel-blotto", "three-sat"]


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


def place(engine: Engine, task: str, starter: StarterName = "baseline", dataset: str | None = None) -> Place:
    return place_of(tasks_root() / task, "smoke", engine, None, starter=starter, dataset=dataset)


def score(episode: Episode, metric: str) -> tuple[float, float] | None:
    sealed = episode.attempts[-1].sealed
    return (sealed.metrics[metric], sealed.stderr.get(metric, 0.0)) if sealed and sealed.valid else None


@pytest.mark.parametrize("task", THREE)
def test_a_planted_bug_shows(engine: Engine, task: str, tmp_path: Path) -> None:
    whole, buggy = place(engine, task), place(engine, task, "buggy")
    metric = whole.task.metric.name
    best = run_episode(whole, baseline_agent(whole.task), 0, tmp_path / "whole")
    worst = run_episode(buggy, baseline_agent(buggy.task), 0, tmp_path / "buggy")
    floor, found = score(best, metric), score(worst, metric)
    assert floor is not None and best.variant is None and worst.variant == "buggy"
    assert found is None or gains(whole.task, floor, found)
    assert "planted bug" in (tmp_path / "buggy" / "trajectory.json").read_text()
    assert "planted bug" not in (tmp_path / "whole" / "trajectory.json").read_text()
    assert (tmp_path / "buggy" / "workspace.patch").read_text().count("baseline.py") == 0, "the bug is no change of its"


@pytest.mark.parametrize("task", THREE)
def test_without_a_starter_the_workspace_is_empty(engine: Engine, task: str, tmp_path: Path) -> None:
    none = place(engine, task, "none")
    look = ScriptedAgent("look", [Action(kind="bash", command='ls -A; ls "${GYMBOARD_DATA:-.}"')])
    episode = run_episode(none, look, 0, tmp_path / "none")
    seen = next(read_steps(tmp_path / "none" / "steps.jsonl")).observation.split()
    assert seen == (["inputs.csv", "train.csv"] if none.agent_data else ["[no", "output]"])
    assert episode.variant == "none" and episode.exit_status == "evaluation_error"
    oracle = oracle_agent(oracle_artifact(none.task, none.folder, none.grader_data))
    assert run_episode(none, oracle, 0, tmp_path / "oracle").exit_status == "success"


def test_every_task_runs_without_a_starter_and_says_what_else_it_has() -> None:
    for task in load_tasks().values():
        assert task.starter("none") is not None and task.starter("baseline") is None
    with pytest.raises(UsageError, match="no starter 'buggy'; it has baseline, none"):
        load_task(tasks_root() / "battle-of-sexes").starter("buggy")
    with pytest.raises(UsageError, match="no dataset 'boston'; it has default, multiplicative"):
        load_task(tasks_root() / "house-price").on("boston")


def test_a_second_dataset_has_its_own_data_and_baseline(engine: Engine, tmp_path: Path) -> None:
    first, second = place(engine, "house-price"), place(engine, "house-price", dataset="multiplicative")
    assert first.agent_data is not None and second.agent_data is not None
    heads = [(data / "train.csv").read_text().splitlines() for data in (first.agent_data, second.agent_data)]
    assert heads[0][0] == heads[1][0] and heads[0][1:] != heads[1][1:], "same columns, other rows"
    episode = run_episode(second, baseline_agent(second.task), 0, tmp_path / "second")
    declared, found = second.task.baseline("smoke"), score(episode, "r2")
    assert declared is not None and found is not None and declared.tolerance is not None
    assert abs(found[0] - declared.value) <= declared.tolerance
    assert declared != first.task.baseline("smoke") and episode.dataset == "multiplicative"


def plan(folder: Path, starter: StarterName = "baseline", dataset: str | None = None) -> RunPlan:
    tasks = ["house-price"]
    return RunPlan(
        "run",
        folder,
        tasks,
        tasks_root(),
        [0],
        "smoke",
        lambda place, seed: baseline_agent(place.task),
        starter=starter,
        dataset=dataset,
    )


def packed(folder: Path, out: Path) -> Bundle:
    episode = baseline_agent(load_task(tasks_root() / "house-price"))
    entry = Entry(id="curriculum", agent=episode.name, agent_version=episode.version, date="2026-11-21")
    return pack(folder, out, entry, "local")


def test_another_dataset_is_regraded_on_its_own_labels_and_never_entered(engine: Engine, tmp_path: Path) -> None:
    list(run_episodes(plan(tmp_path / "run", dataset="multiplicative"), engine))
    bundle = packed(tmp_path / "run", tmp_path / "entry")
    assert bundle.episodes[0].dataset == "multiplicative"

    def labels(task, folder, profile):  # type: ignore[no-untyped-def]
        return place_of(folder, profile, engine, None, task).grader_data

    report = regrade(tmp_path / "entry", engine, labels)
    assert report.attempts and all(attempt.agrees for attempt in report.attempts)
    assert any("GB209" in problem.message and problem.severity == "error" for problem in check(tmp_path / "entry"))


def test_another_starter_is_never_entered_and_never_resumed_as_the_whole_one(tmp_path: Path) -> None:
    with open_engine("local") as engine:
        list(run_episodes(plan(tmp_path / "run", "buggy"), engine))
        with pytest.raises(UsageError, match="begun with another variant"):
            list(run_episodes(plan(tmp_path / "run"), engine))
    bundle = packed(tmp_path / "run", tmp_path / "entry")
    assert any("GB209" in problem.message for problem in check(tmp_path / "entry"))
    mixed = bundle.model_dump(mode="json", exclude_none=True)
    mixed["episodes"].append(mixed["episodes"][0] | {"seed": 1, "variant": "none"})
    with pytest.raises(SchemaError, match="the same variant"):
        Bundle.from_json(json.dumps(mixed))


def test_the_default_leaves_no_trace_in_a_record(tmp_path: Path) -> None:
    with open_engine("local") as engine:
        list(run_episodes(plan(tmp_path / "run", dataset="default"), engine))
    for name in ("run.json", "house-price/seed-0/episode.json"):
        text = (tmp_path / "run" / name).read_text()
        assert '"variant"' not in text and '"dataset"' not in text
