"""The tuner in real sandboxes: what it tries first, what it hands in, and that no limit is passed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Briefing, Observation
from harness.agents.tuner import TunerAgent, printed
from harness.errors import SchemaError
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.schema.episode import Episode
from harness.schema.search import Hyperparameter
from harness.schema.steps import Action, StepLine, read_steps
from harness.schema.task import TaskSpec, load_task, tasks_root

ROOT = Path(__file__).resolve().parents[2]
STEPS = 11
QUICK = "python parameters.py strategy.py && python simulate.py strategy.py 200 $GYMBOARD_EPISODE_SEED"


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def blotto(request: pytest.FixtureRequest) -> Iterator[Place]:
    with open_engine(request.param) as engine:
        yield place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


def play(place: Place, folder: Path, command: str = QUICK, seed: int = 3) -> tuple[Episode, list[StepLine]]:
    limits = place.task.limits.model_copy(update={"steps": STEPS})
    task = place.task.model_copy(update={"limits": limits, "search_command": command})
    small = Place(task, place.folder, place.profile, place.engine, place.agent_data, place.grader_data)
    return run_episode(small, TunerAgent(), seed, folder), list(read_steps(folder / "steps.jsonl"))


def kinds(lines: list[StepLine]) -> list[str]:
    return [line.action.kind for line in lines]


def test_the_best_trial_is_what_it_submits_and_the_same_seed_searches_alike(blotto: Place, tmp_path: Path) -> None:
    episode, lines = play(blotto, tmp_path / "first")
    trials = [line for line in lines if "parameters.py" in line.action.command]
    assert trials[0].action.command.startswith("GYMBOARD_HP_REINFORCED=6 GYMBOARD_HP_LEAST=10 GYMBOARD_HP_SPREAD=20 ")
    assert episode.exit_status == "success" and STEPS - 1 <= episode.steps + 1 <= STEPS + 1
    assert episode.actions["Validate"] == 1 and episode.actions["Python"] == len(trials) >= 3
    best = max(trials, key=lambda line: printed("estimate mean_payoff", line.observation) or -9)
    wanted = re.findall(r"GYMBOARD_HP_(\w+)=(\S+)", best.action.command)
    handed_in = (tmp_path / "first" / "attempts" / "1" / "strategy.py").read_text()
    assert all(f"\n{name} = {value} " in handed_in for name, value in wanted)
    assert "best" not in (tmp_path / "first" / "workspace.patch").read_text()
    again, repeated = play(blotto, tmp_path / "again")
    assert [line.action for line in repeated] == [line.action for line in lines]
    assert again.attempts[-1].artifact_sha256 == episode.attempts[-1].artifact_sha256
    _, other = play(blotto, tmp_path / "other", seed=4)
    assert [line.action.command for line in other] != [line.action.command for line in lines]


def test_without_an_estimate_the_validation_score_leads(blotto: Place, tmp_path: Path) -> None:
    episode, lines = play(blotto, tmp_path / "validates", "python parameters.py strategy.py")
    looks = [attempt for attempt in episode.attempts if attempt.kind == "validate"]
    assert len(looks) == episode.actions["Python"] >= 2
    best = max(looks, key=lambda attempt: attempt.validation.metrics["mean_payoff"])  # type: ignore[union-attr]
    assert episode.attempts[-1].artifact_sha256 == best.artifact_sha256
    assert episode.exit_status == "success" and kinds(lines)[-1] == "submit"


@pytest.mark.parametrize(
    "command", ["python -c 'raise SystemExit(1)'", "python -c \"print('estimate mean_payoff = nan')\""]
)
def test_a_starter_that_never_scores_ends_within_the_limits(blotto: Place, tmp_path: Path, command: str) -> None:
    episode, _ = play(blotto, tmp_path / "broken", command)
    assert episode.exit_status == "evaluation_error" and episode.steps <= STEPS
    assert "does not exist" in (episode.attempts[-1].refused or "")


def drive(task: TaskSpec, seconds_a_step: float, values: Iterator[float]) -> list[Action]:
    """The agent alone, on a clock of ours: every step takes so long, every trial prints the next value."""
    now = 0.0
    agent = TunerAgent(clock=lambda: now)
    agent.begin(Briefing(task, "official", 0, ""))
    actions, seen = [], Observation("the instruction")
    while not actions or actions[-1].kind != "submit":
        actions.append(agent.act(seen))
        trial = actions[-1].command.startswith("GYMBOARD_HP_")
        now += seconds_a_step if trial else 0.1
        seen = Observation(f"estimate {task.metric.name} = {next(values)}" if trial else "", 0)
    return actions


def test_time_that_another_trial_would_not_find_ends_the_search() -> None:
    task = load_task(tasks_root() / "house-price")
    actions = drive(task, 1800.0, iter([0.5] * 99))
    assert [action.kind for action in actions] == ["bash"] * (7 + 2) + ["validate", "submit"]
    assert 7 * 1800 + task.limits.grade_time_s <= task.limits.wall_time_s < 8.5 * 1800 + task.limits.grade_time_s


def test_the_ranked_metrics_direction_decides_what_is_kept() -> None:
    task = load_task(tasks_root() / "house-price")
    lower = task.metrics[0].model_copy(update={"direction": "min"})
    values = [0.5, 0.7, 0.4, 0.4, 0.6] + [0.9] * 99
    for metric, kept in ((task.metrics[0], 3), (lower, 2)):
        actions = drive(task.model_copy(update={"metrics": (metric,)}), 1.0, iter(values))
        assert sum("--parents" in action.command for action in actions) == kept
        assert len(actions) <= task.limits.steps


def test_nothing_declared_is_the_untouched_starter(tmp_path: Path) -> None:
    task = load_task(tasks_root() / "three-sat")
    assert not task.hyperparameters
    agent = TunerAgent()
    agent.begin(Briefing(task, "smoke", 0, ""))
    actions = [agent.act(Observation("", 0)) for _ in range(3)]
    assert [action.kind for action in actions] == ["bash", "validate", "submit"]
    assert actions[0].command == task.starter_command


def test_killed_in_the_middle_of_a_search_and_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "tasks" / "colonel-blotto"
    shutil.copytree(tasks_root() / "colonel-blotto", folder)
    text = (folder / "task.toml").read_text()
    (folder / "task.toml").write_text(text.replace("steps = 50", "steps = 9").replace(" 5000 ", " 500 "))
    words = [sys.executable, "-m", "gymboard", "run", "--agent", "tuner", "--tasks-root", str(folder.parent)]
    words += ["--profile", "smoke", "--seeds", "1", "--sandbox", "local", "--runs", str(tmp_path), "--run", "killed"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    steps = tmp_path / "killed" / "colonel-blotto" / "seed-0" / "steps.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (steps.exists() and steps.read_bytes().count(b"\n") >= 3):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = [line.action for line in read_steps(steps)]
    done = subprocess.run([*words, "--resume", "--json"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [episode] = json.loads(done.stdout)["episodes"]
    assert episode["exit_status"] == "success" and episode["steps"] <= 9
    assert [line.action for line in read_steps(steps)][: len(before)] == before, "the same seed, the same search"


SOUND: dict[str, Any] = {"name": "rate", "kind": "float", "default": 0.1, "low": 0.01, "high": 1.0}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"default": 2.0}, "from low to high"),
    ({"low": 0.0, "log": True}, "low > 0"),
    ({"low": 1.0}, "low < high"),
    ({"kind": "int"}, "whole numbers"),
    ({"high": None}, "needs low and high"),
    ({"kind": "choice"}, "neither low nor high"),
    ({"name": "Rate"}, "pattern"),
    ({"kind": "choice", "low": None, "high": None, "choices": ["a", "b; rm -rf ."], "default": "a"}, "letters"),
    ({"kind": "choice", "low": None, "high": None, "choices": ["a", "b"], "default": "c"}, "none of its choices"),
]


@pytest.mark.parametrize(("change", "said"), BAD)
def test_a_declaration_that_cannot_be_searched_is_refused(change: dict[str, Any], said: str) -> None:
    given = {name: value for name, value in {**SOUND, **change}.items() if value is not None}
    Hyperparameter.from_json(json.dumps(SOUND))
    with pytest.raises(SchemaError, match=re.escape(said)):
        Hyperparameter.from_json(json.dumps(given))


@pytest.mark.parametrize(
    ("command", "trains"),
    [
        ("python train.py", True),
        ("GYMBOARD_HP_RATE=1e-3 CUDA_VISIBLE_DEVICES=0,1 python train.py", True),
        ("X=$(sleep 9) python train.py", False),
        ("X=1; python train.py", False),
        ("sleep 9 # python", False),
    ],
)
def test_a_value_before_python_still_is_a_command_that_trains(command: str, trains: bool) -> None:
    assert (Action(kind="bash", command=command).action_class == "Python") is trains
