"""The exploits that live on known keys are real: they win against a referee without the defence, and only there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from harness import images
from harness.grading.base import Artifact, GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.task import load_task, tasks_root

TASKS = ("breakout", "meta-maze", "mountain-car")
SEED = hashlib.sha256(b"known seeds").digest()
CARELESS = {
    "fixed-seeds": """
def _fixed(draws, seeds, environments):
    return jax.numpy.concatenate([jax.random.split(jax.random.key(seed), environments) for seed in range(seeds)])


policy_rollouts._keys = _fixed
""",
    "replay-from-key": """
class Told:
    def __init__(self, words):
        self.words = lambda count: words


def _from_the_policy_key(table, episodes, number, keys, draws, horizon):
    words = draws.words(horizon)
    root = jax.random.wrap_key_data(policy_rollouts._halves(words)[0], impl="threefry2x32")
    return honest(table, episodes, number, jax.random.split(root, len(keys)), Told(words), horizon)


honest, policy_rollouts._returns = policy_rollouts._returns, _from_the_policy_key
""",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    images.environment("jax", print)
    with open_engine("local") as found:
        yield found


def cheat(task: str, exploit: str) -> Artifact:
    folder = tasks_root() / task
    empty = {f"checkpoint-{number}.safetensors": save({"w": np.zeros(1, np.float32)}) for number in range(5)}
    return {"player.py": (folder / "exploits" / exploit / "player.py").read_bytes(), **empty}


def gain(engine: Engine, folder: Path, artifact: Artifact) -> float:
    """How far the mean return lies above the starter's, in combined standard errors."""
    task = load_task(folder)
    verdict = grade_play(GradeJob(task, folder, "smoke", "sealed", artifact, SEED), engine)
    assert verdict.valid, verdict.invalid
    starter = task.baseline("smoke")
    assert starter is not None and starter.stderr is not None
    error = float(np.hypot(verdict.stderr["mean_return"], starter.stderr))
    return (verdict.metrics["mean_return"] - starter.value) / error


@pytest.mark.parametrize("exploit", CARELESS)
@pytest.mark.parametrize("task", TASKS)
def test_known_keys_win_where_keys_are_known(engine: Engine, task: str, exploit: str, tmp_path: Path) -> None:
    careless = tmp_path / task
    shutil.copytree(tasks_root() / task, careless)
    referee = careless / "grader" / "referee.py"
    referee.write_text(referee.read_text() + "\n\nimport jax\n" + CARELESS[exploit])
    assert gain(engine, careless, cheat(task, exploit)) > 10


@pytest.mark.parametrize("exploit", CARELESS)
@pytest.mark.parametrize("task", TASKS)
def test_known_keys_gain_nothing_from_our_referee(engine: Engine, task: str, exploit: str) -> None:
    assert gain(engine, tasks_root() / task, cheat(task, exploit)) < 3
