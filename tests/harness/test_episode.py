"""Episodes on real tasks in real sandboxes: what ends up on disk, and what an agent's fault may not do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest

from harness.agents.base import Briefing, Observation
from harness.agents.baseline import baseline_agent
from harness.agents.nop import nop_agent
from harness.agents.oracle import oracle_agent, oracle_artifact
from harness.agents.replay import replay_agent
from harness.agents.scripted import ScriptedAgent
from harness.runner.place import Place
from harness.runner.run import place_of, run_episode
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.sandbox.docker import OWNER
from harness.schema.episode import Episode
from harness.schema.steps import Action, read_steps
from harness.schema.task import tasks_root
from harness.schema.trajectory import Trajectory

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def blotto(engine: Engine) -> Place:
    return place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


def test_baseline_leaves_a_whole_record(blotto: Place, tmp_path: Path) -> None:
    folder = tmp_path / "episode"
    episode = run_episode(blotto, baseline_agent(blotto.task), 0, folder)
    assert episode.exit_status == "success"
    assert [attempt.kind for attempt in episode.attempts] == ["validate", "submit"]
    assert Episode.from_json((folder / "episode.json").read_bytes()) == episode
    first, last = episode.attempts
    assert first.validation is not None and first.validation.seed is None
    assert first.sealed == last.sealed, "the same bytes are graded once, not until a lucky seed comes"
    assert last.sealed is not None and last.sealed.seed is not None
    assert len(list(read_steps(folder / "steps.jsonl"))) == episode.steps == 3
    trajectory = Trajectory.from_json((folder / "trajectory.json").read_bytes())
    assert [step.source for step in trajectory.steps] == ["user", "agent", "agent", "agent"]
    assert "strategy.py" in (folder / "workspace.patch").read_text()
    text = (folder / "steps.jsonl").read_text() + (folder / "trajectory.json").read_text()
    assert last.sealed.seed not in text, "the sealed seed reached what the agent could have seen"


def test_oracle_wins_and_nop_gets_nothing(blotto: Place, tmp_path: Path) -> None:
    oracle = oracle_agent(oracle_artifact(blotto.task, blotto.folder, None))
    won = run_episode(blotto, oracle, 0, tmp_path / "oracle").attempts[-1].sealed
    base = run_episode(blotto, baseline_agent(blotto.task), 0, tmp_path / "baseline").attempts[-1].sealed
    assert won is not None and base is not None
    assert won.metrics["mean_payoff"] - base.metrics["mean_payoff"] > 0.2
    nothing = run_episode(blotto, nop_agent(), 0, tmp_path / "nop")
    assert nothing.exit_status == "evaluation_error"
    assert (nothing.trace, nothing.modifies) == ("U", False)
    assert nothing.attempts[-1].refused and nothing.attempts[-1].sealed is None


def test_replay_repeats_the_artifact(blotto: Place, tmp_path: Path) -> None:
    first = run_episode(blotto, baseline_agent(blotto.task), 0, tmp_path / "first")
    again = run_episode(blotto, replay_agent(tmp_path / "first" / "steps.jsonl"), 0, tmp_path / "again")
    assert [a.artifact_sha256 for a in again.attempts] == [a.artifact_sha256 for a in first.attempts]


def test_labels_are_nowhere_in_the_agents_place(engine: Engine, tmp_path: Path) -> None:
    place = place_of(tasks_root() / "house-price", "smoke", engine, None)
    look = ScriptedAgent(
        "look", [Action(kind="bash", command="ls -R $GYMBOARD_DATA; find / -name 'labels.csv' 2>/dev/null")]
    )
    run_episode(place, look, 0, tmp_path / "look")
    seen = next(read_steps(tmp_path / "look" / "steps.jsonl")).observation
    assert "inputs.csv" in seen
    if engine.kind == "docker":
        assert "labels.csv" not in seen


class Raises:
    """An agent whose code breaks after it left something."""

    name, version, model = "raises", "1", None

    def __init__(self) -> None:
        self.calls = 0

    def begin(self, briefing: Briefing) -> None:
        self.command = briefing.task.starter_command

    def act(self, observation: Observation) -> Action:
        self.calls += 1
        if self.calls == 2:
            raise RuntimeError("boom")
        return Action(kind="bash", command=self.command)

    usage = ScriptedAgent.usage


def test_an_agent_that_raises_still_hands_in_what_is_there(blotto: Place, tmp_path: Path) -> None:
    episode = run_episode(blotto, Raises(), 0, tmp_path / "raises")
    assert episode.exit_status == "runtime" and "boom" in (episode.exit_detail or "")
    assert (episode.steps, episode.trace) == (1, "B"), "what the harness hands in is no step of the agent"
    assert episode.attempts[-1].sealed is not None and episode.attempts[-1].sealed.valid


def test_steps_are_limited_and_the_limit_submits(blotto: Place, tmp_path: Path) -> None:
    limits = blotto.task.limits.model_copy(update={"steps": 2})
    place = Place(blotto.task.model_copy(update={"limits": limits}), blotto.folder, "smoke", blotto.engine)
    script = [Action(kind="bash", command=blotto.task.starter_command), *[Action(kind="bash", command="true")] * 5]
    episode = run_episode(place, ScriptedAgent("long", script), 0, tmp_path / "long")
    assert (episode.exit_status, episode.steps, episode.trace) == ("max_steps", 2, "BB")
    assert episode.attempts[-1].sealed is not None


def test_killed_in_the_middle_keeps_its_steps_and_resumes(tmp_path: Path, engine: Engine) -> None:
    words = [sys.executable, "-m", "gymboard", "run", "--tasks", "battle-of-sexes,colonel-blotto", "--profile", "smoke"]
    words += ["--seeds", "1", "--runs", str(tmp_path), "--run", "killed", "--sandbox", engine.kind]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = tmp_path / "killed" / "colonel-blotto" / "seed-0" / "steps.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (second.exists() and second.stat().st_size):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert list(read_steps(second)), "what was recorded before the kill is there"
    finished = tmp_path / "killed" / "battle-of-sexes" / "seed-0" / "episode.json"
    before = (finished.read_bytes(), finished.stat().st_mtime_ns)
    refused = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "--resume" in refused.stderr
    done = subprocess.run([*words, "--resume", "--json"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [episode["exit_status"] for episode in json.loads(done.stdout)["episodes"]] == ["success", "success"]
    resumed = Episode.from_json(second.with_name("episode.json").read_bytes())
    assert resumed.trace == "BAU", "the steps of the killed try are not the resumed episode's"
    assert (finished.read_bytes(), finished.stat().st_mtime_ns) == before, "a finished episode is never run again"
    assert list((tmp_path / "killed" / "colonel-blotto").glob("seed-0.unfinished-*/steps.jsonl"))


def test_one_process_a_run_and_nothing_left_when_it_is_told_to_end(tmp_path: Path, engine: Engine) -> None:
    words = [sys.executable, "-m", "gymboard", "run", "--tasks", "three-sat", "--seeds", "9", "--runs", str(tmp_path)]
    words += ["--run", "long", "--sandbox", engine.kind]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    attempts = tmp_path / "long" / "three-sat" / "seed-0" / "attempts"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not attempts.exists():
        time.sleep(0.01)
    assert traces(child.pid), "the grade of the first attempt has begun"
    second = subprocess.run([*words, "--resume"], env=env, capture_output=True, text=True, check=False)
    assert (second.returncode, "another process runs" in second.stderr) == (2, True), second.stderr
    child.terminate()
    assert child.wait(timeout=60) == 128 + signal.SIGTERM
    assert not traces(child.pid)


def traces(pid: int) -> list[str]:
    """Containers, volumes and temporary folders of one process."""
    found = [str(path) for path in Path(tempfile.gettempdir()).glob(f"gymboard.{pid}-*")]
    with contextlib.suppress(docker.errors.DockerException), contextlib.closing(docker.from_env()) as client:
        listed = [*client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)]
        volumes = client.volumes.list(filters={"label": OWNER})
        found += [one.name for one in listed if one.labels[OWNER].startswith(f"{pid}-")]
        found += [one.name for one in volumes if one.attrs["Labels"][OWNER].startswith(f"{pid}-")]
    return found


def test_bad_artifacts_cost_an_attempt_and_not_the_episode(blotto: Place, tmp_path: Path) -> None:
    """A link, a strategy that leaves in the middle, then the starter: three attempts, each with its reason on disk."""
    leaves = b"import os\ndef row_strategy(history):\n    return os._exit(0) if len(history) == 3 else [20] * 6\n"
    script = [
        Action(kind="bash", command="ln -s /etc/passwd strategy.py"),
        Action(kind="validate"),
        Action(kind="write", path="../outside", data=b"x"),
        Action(kind="bash", command="rm strategy.py"),
        Action(kind="write", path="strategy.py", data=leaves),
        Action(kind="validate"),
        Action(kind="bash", command=blotto.task.starter_command),
    ]
    episode = run_episode(blotto, ScriptedAgent("clumsy", script), 0, tmp_path / "clumsy")
    linked, left, last = episode.attempts
    assert "symbolic link" in (linked.refused or "") and linked.artifact_sha256 is None
    assert left.validation is not None and "closed" in (left.validation.invalid or "")
    assert left.sealed is not None and not left.sealed.valid
    assert last.sealed is not None and last.sealed.valid
    assert episode.exit_status == "success"
    assert (episode.trace, episode.modifies) == ("BAEBEABU", True)
    told = [line.observation for line in read_steps(tmp_path / "clumsy" / "steps.jsonl")]
    assert "refused" in told[1] and "not written" in told[2] and "invalid artifact" in told[5]
