"""Grades by the real referee of the reinforcement-learning tasks: same seed, other seed, other checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from harness import images
from harness.grading.base import Artifact, GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict
from harness.schema.task import load_task, tasks_root

FOLDER = tasks_root() / "mountain-car"
TASK = load_task(FOLDER)
STARTS_DIFFER = """
import numpy as np
starts = []
def load(path):
    return path.name
def act(policy, observations, reset, key):
    if reset.all():
        starts.append((policy, observations[:, 0].copy()))
        if len({name for name, _ in starts}) == 5:
            drawn = np.concatenate([values for _, values in starts])
            raise ValueError(f"{len(drawn)} starts, {len(set(drawn.tolist()))} different")
    return np.where(observations[:, 1:] >= 0, 1.0, -1.0)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    images.environment("jax", print)
    with open_engine("local") as found:
        yield found


def oracle() -> Artifact:
    folder = FOLDER / "grader" / "oracle"
    return {file.path: (folder / file.path).read_bytes() for file in TASK.artifact}


def graded(engine: Engine, artifact: Artifact, seed: str) -> Verdict:
    drawn = hashlib.sha256(seed.encode()).digest()
    return grade_play(GradeJob(TASK, FOLDER, "smoke", "sealed", artifact, drawn), engine)


def test_the_seed_alone_decides(engine: Engine) -> None:
    first, again, other = (graded(engine, oracle(), seed) for seed in ("a", "a", "b"))
    assert first.invalid is None and first.n == 640
    assert first.metrics == again.metrics != other.metrics
    assert 80 < first.metrics["mean_return"] < 100


def test_no_two_checkpoints_meet_the_same_episodes(engine: Engine) -> None:
    verdict = graded(engine, oracle() | {"player.py": STARTS_DIFFER.encode()}, "a")
    starts, different = (int(word) for word in (verdict.invalid or "").split() if word.isdigit())
    assert starts == 640
    assert different > 630  # float32 numbers may meet by chance


@pytest.mark.parametrize("name", ["ppo.py", "evaluate.py"])
def test_the_three_tasks_share_one_training(name: str) -> None:
    copies = {
        (tasks_root() / task / "starter" / name).read_bytes() for task in ("breakout", "meta-maze", "mountain-car")
    }
    assert len(copies) == 1
