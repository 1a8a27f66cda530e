"""Tasks as gymnasium environments in real sandboxes: gymnasium's own check, vectors, limits, hostility, leftovers."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import docker
import gymnasium
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import VectorEnv

from harness.env import TaskEnv, env_id
from harness.env.reward import Climb
from harness.env.task_env import MAX_CHARS
from harness.errors import UsageError
from harness.sandbox.docker import OWNER
from harness.sandbox.owner import owner
from harness.schema.episode import Episode
from harness.schema.steps import Action, read_steps
from harness.schema.task import load_tasks, tasks_root

ROOT = Path(__file__).resolve().parents[3]
BLOTTO = "colonel-blotto"


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def env(sandbox: str, tmp_path: Path) -> Iterator[TaskEnv]:
    opened = TaskEnv(BLOTTO, sandbox=sandbox, record=tmp_path / "record")
    yield opened
    opened.close()


def _limited(root: Path, **limits: int) -> Path:
    """A tasks folder whose Blotto has other limits."""
    shutil.copytree(tasks_root() / BLOTTO, root / BLOTTO)
    file = root / BLOTTO / "task.toml"
    text = file.read_text()
    for name, value in limits.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        assert count == 1
    file.write_text(text)
    return root


@pytest.fixture(autouse=True)
def earlier_threads() -> Iterator[None]:
    """What a test of another file left running in this process is not ours."""
    EARLIER.update(threading.enumerate())
    yield
    EARLIER.clear()


EARLIER: set[threading.Thread] = set()
ENDS_S = 10.0


def _left_behind(pids: set[int]) -> list[str]:
    """Folders and containers of these processes, and threads of ours that do not end when they are told to."""
    names = [f"gymboard.{pid}-" for pid in pids]
    folders = [str(f) for f in Path(tempfile.gettempdir()).glob("gymboard.*") if f.name.startswith(tuple(names))]
    threads = [one for one in set(threading.enumerate()) - EARLIER if one.name.startswith("gymboard-")]
    for thread in threads:
        thread.join(ENDS_S)
    return folders + [thread.name for thread in threads if thread.is_alive()]


def test_every_task_is_registered_and_found_by_its_module_name() -> None:
    assert {env_id(task) for task in load_tasks().values()} <= set(gymnasium.registry)
    code = "import gymnasium; e = gymnasium.make('harness.env:gymboard/three-sat-v1'); print(e.spec.id); e.close()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "gymboard/three-sat-v1"


def test_gymnasiums_own_check_has_nothing_to_say(sandbox: str) -> None:
    made = gymnasium.make("gymboard/colonel-blotto-v1", sandbox=sandbox)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped)
    made.close()


def test_a_whole_episode_is_rewarded_recorded_and_terminated(env: TaskEnv, tmp_path: Path) -> None:
    text, info = env.reset(seed=7)
    assert "strategy" in text and info["steps_left"] == 50
    _, reward, *ends, info = env.step("cp baseline.py strategy.py")
    assert (reward, ends, info["exit_code"], info["steps_left"]) == (0.0, [False, False], 0, 49)
    assert "score" not in info and "attempt" not in info
    even = b"def row_strategy(history):\n    return (0, 0, 30, 30, 30, 30)\n"
    env.step(Action(kind="write", path="strategy.py", data=even))
    text, reward, *ends, info = env.step(" validate\n")
    score = info["verdict"].metrics["mean_payoff"]
    assert reward == Climb(load_tasks()[BLOTTO], "smoke").reward("any", score) > 0.1
    assert f"{score:.6g}" in text and info["score"] == score and ends == [False, False]
    _, again, *_, info = env.step("validate")
    assert again == 0.0 and info["attempt"].index == 1, "the same bytes are graded and shown again, not rewarded"
    text, reward, *ends, info = env.step("submit")
    assert (text, reward, ends) == ("submitted", 0.0, [True, False])
    episode = info["episode"]
    (file,) = (tmp_path / "record" / BLOTTO).glob("seed-7-*/episode.json")
    assert Episode.from_json(file.read_bytes()) == episode
    assert (episode.seed, episode.trace, info["exit_status"]) == (7, "BEAAU", "success")
    assert episode.attempts[-1].sealed is not None and episode.attempts[-1].sealed.valid
    with pytest.raises(ResetNeeded):
        env.step("true")


def test_the_last_step_truncates_and_hands_in(sandbox: str, tmp_path: Path) -> None:
    limited = TaskEnv(BLOTTO, sandbox=sandbox, root=_limited(tmp_path, steps=2))
    limited.reset(seed=0)
    assert limited.step("cp baseline.py strategy.py; echo first")[2:4] == (False, False)
    text, reward, *ends, info = limited.step("validate")
    assert "mean payoff" in text and ends == [False, True] and info["exit_status"] == "max_steps"
    assert info["verdict"].valid and info["attempt"].kind == "validate", "what the last step came to is told"
    assert [(a.kind, a.sealed is not None) for a in info["episode"].attempts] == [("validate", True), ("submit", True)]
    assert reward >= 0
    limited.close()


def test_wall_time_goes_on_between_steps(tmp_path: Path) -> None:
    limited = TaskEnv(BLOTTO, sandbox="local", root=_limited(tmp_path, wall_time_s=8))
    limited.reset(seed=0)
    assert limited.step("cp baseline.py strategy.py")[3] is False
    time.sleep(8.5)
    text, reward, *ends, info = limited.step("submit")
    assert (reward, ends) == (0.0, [False, True]) and text.startswith("not executed") and "attempt" not in info
    episode = info["episode"]
    assert (episode.exit_status, episode.steps, episode.attempts[-1].kind) == ("wall_time", 1, "submit")
    limited.close()
    assert not _left_behind({int(owner().partition("-")[0])})


HOSTILE = [
    "",
    "exit 3",
    "exec false",
    "'unclosed",
    "head -c 50000000 /dev/zero | tr '\\0' 'x'",
    "head -c 3000 /dev/urandom",
    "printf '\\033[2J\\033]0;title\\007 \\xff\\xfe'",
    "a\0b",
    "half \ud800",
    "x" * (MAX_CHARS + 1),
    "rm -rf .[!.]* * ..?*",
    'python3 -c \'import os\nfor _ in range(3000): os.mkdir("a"); os.chdir("a")\'',
    "ln -sf /etc/passwd strategy.py",
    "validate",
    "rm strategy.py; mkfifo strategy.py",
    "validate",
    "rm strategy.py; echo 'while True: pass' > strategy.py; yes > /dev/null & true",
    "validate\nsubmit",
]


def test_hostile_actions_are_steps_like_any_other(env: TaskEnv, sandbox: str) -> None:
    env.reset(seed=0)
    actions = [*HOSTILE, "kill -9 -1"] if sandbox == "docker" else HOSTILE
    for number, action in enumerate(actions, start=1):
        text, reward, *ends, info = env.step(action)
        assert text in env.observation_space and (reward, ends) == (0.0, [False, False]), action
        assert info["steps_left"] == 50 - number
        if action == "validate":
            assert info["attempt"].refused and "verdict" not in info
    with pytest.raises(InvalidAction):
        env.step(b"submit")  # type: ignore[arg-type]
    assert "alive" in env.step("echo alive")[0]
    text, reward, terminated, truncated, info = env.step(Action.model_construct(kind="nonsense"))
    assert (reward, terminated, truncated) == (0.0, False, True), "a caller's broken Action ends the episode as a fault"
    assert info["exit_status"] == "runtime"


def test_resets_begin_anew_and_options_last_one_episode(env: TaskEnv, tmp_path: Path) -> None:
    env.reset(seed=1)
    env.step("touch mine; export MINE=1")
    text, _ = env.reset(options={"starter": "none"})
    assert "your workspace is empty" in text
    assert env.step("ls; echo $MINE")[0] == "[no output]"
    with pytest.raises(UsageError, match="starters"):
        env.reset(options={"starters": "none"})
    assert env.step("echo goes on")[0] == "goes on", "a refused reset leaves the episode alone"
    with pytest.raises(UsageError, match="dataset"):
        env.reset(options={"dataset": "other"})
    env.reset()
    assert "baseline.py" in env.step("ls")[0]
    folders = sorted((tmp_path / "record" / BLOTTO).iterdir())
    assert len(folders) == 3 and not list((tmp_path / "record").rglob("episode.json")), "what was left is not graded"
    assert all(list(read_steps(folder / "steps.jsonl")) for folder in folders)


@pytest.mark.parametrize("wrong", [{"profile": "large"}, {"starter": "best"}, {"sandbox": "none"}, {"speed": "1"}])
def test_wrong_settings_are_refused_before_anything_opens(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        TaskEnv(BLOTTO, **wrong)
    with pytest.raises(UsageError, match="no task"):
        TaskEnv("colonel-blotta")


def test_an_interrupted_step_leaves_nothing_behind(sandbox: str) -> None:
    left = TaskEnv(BLOTTO, sandbox=sandbox)
    left.reset(seed=0)
    ours = owner()
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.5)
        with pytest.raises(KeyboardInterrupt):
            left.step("sleep 24")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not _left_behind({int(ours.partition("-")[0])})
    with pytest.raises(ResetNeeded):
        left.step("true")
    left.reset(seed=0)
    assert left.step("echo again")[0] == "again"
    left.close()
    left.close()
    assert not _left_behind({int(ours.partition("-")[0])})
    if sandbox == "docker":
        assert not docker.from_env().containers.list(all=True, filters={"label": f"{OWNER}={ours}"})


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vectors_step_side_by_side(mode: str, sandbox: str) -> None:
    vector: VectorEnv = gymnasium.make_vec("harness.env:gymboard/colonel-blotto-v1", 2, mode, sandbox=sandbox)
    texts, info = vector.reset(seed=[1, 2])
    assert len(texts) == 2 and list(info["steps_left"]) == [50, 50]
    children = {child.pid for child in multiprocessing.active_children()} - {None}
    texts, *_ = vector.step(("echo $GYMBOARD_EPISODE_SEED é漢", "echo $GYMBOARD_EPISODE_SEED"))
    assert tuple(texts) == ("1 é漢", "2")
    *_, rewards, terminated, truncated, info = vector.step(("submit", "true"))
    assert (list(rewards), list(terminated), list(truncated)) == ([0, 0], [True, False], [False, False])
    assert info["exit_status"][0] == "evaluation_error" and info["exit_status"][1] is None
    texts, *_, info = vector.step(("ignored by the reset", "pwd"))
    assert "strategy" in texts[0] and list(info["steps_left"]) == [50, 47]
    vector.close()
    assert not _left_behind({pid for pid in children if pid} | {int(owner().partition("-")[0])})
