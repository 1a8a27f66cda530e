"""Both engines with the cpu family ready, and the oracle of fineweb-lm as a model that needs numpy only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import images
from harness.data import prepare
from harness.grading.base import GradeJob
from harness.grading.claims import grade_claims
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict
from harness.schema.task import Split, load_task, tasks_root

FOLDER = tasks_root() / "fineweb-lm"
LOADED = "facts = load_file(path)"
CONSTANT = 'facts = {"seed": [20250220], "vocabulary": [64]}'


def honest_player() -> str:
    """The oracle without its one import that the cpu family lacks."""
    text = (FOLDER / "grader" / "oracle" / "player.py").read_text()
    assert LOADED in text
    return text.replace("from safetensors.numpy import load_file\n", "").replace(LOADED, CONSTANT)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    images.build("cpu", None, print)
    with open_engine("docker") as opened:
        yield opened


@pytest.fixture(scope="session")
def local_engine() -> Iterator[Engine]:
    images.environment("cpu", print)
    with open_engine("local") as opened:
        yield opened


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared grader/ folder of the smoke profile."""
    prepared = prepare(load_task(FOLDER), FOLDER, "smoke", root=tmp_path_factory.mktemp("data"))
    assert prepared
    return prepared.grader


@pytest.fixture
def graded(tokens: Path) -> Callable[..., Verdict]:
    """graded(engine, text after the honest player's, ...) -> Verdict, in the smoke profile, in the cpu family."""

    def grade(
        engine: Engine,
        more: str = "",
        split: Split = "sealed",
        seed: bytes | None = None,
        checkpoint: bytes | None = None,
        **limits: int,
    ) -> Verdict:
        task = load_task(FOLDER)
        task = task.model_copy(update={"image": "cpu", "limits": task.limits.model_copy(update=limits)})
        weights = (FOLDER / "grader" / "oracle" / "model.safetensors").read_bytes()
        artifact = {
            "model.safetensors": weights if checkpoint is None else checkpoint,
            "player.py": (honest_player() + more).encode(),
        }
        return grade_claims(GradeJob(task, FOLDER, "smoke", split, artifact, seed or os.urandom(32), tokens), engine)

    return grade
