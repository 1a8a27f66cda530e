"""Both engines with the cpu family ready, the three games, and what a grade leaves behind."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.grading.base import GradeJob
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.sandbox.owner import owner
from harness.schema.episode import Verdict
from harness.schema.task import Split, TaskSpec, load_task, tasks_root

TASKS = tasks_root()
Grade = Callable[..., Verdict]


def open_ready(kind: str) -> Engine:
    from harness import images

    if kind == "docker":
        images.build("cpu", None, print)
        return open_engine("docker")
    images.environment("cpu", print)
    return open_engine("local")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    with open_ready("docker") as engine:
        yield engine


@pytest.fixture(scope="session")
def local_engine() -> Iterator[Engine]:
    with open_ready("local") as engine:
        yield engine


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


def quick(task: TaskSpec, reply_time_s: int = 60) -> TaskSpec:
    """The task with a shorter limit for one message, for artifacts that stall."""
    return task.model_copy(update={"limits": task.limits.model_copy(update={"reply_time_s": reply_time_s})})


@pytest.fixture
def graded() -> Grade:
    """graded(engine, task id, strategy text or bytes, ...) -> Verdict, in the smoke profile."""

    def grade(
        engine: Engine,
        task: str,
        strategy: bytes | str,
        split: Split = "sealed",
        seed: bytes | None = None,
        reply_time_s: int = 60,
    ) -> Verdict:
        from harness.grading.play import grade_play

        code = strategy.encode() if isinstance(strategy, str) else strategy
        spec = quick(load_task(TASKS / task), reply_time_s)
        seed = seed or os.urandom(32)
        return grade_play(GradeJob(spec, TASKS / task, "smoke", split, {"strategy.py": code}, seed), engine)

    return grade


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails when the test leaves a temporary folder, a container, a volume or a process of this process's engines."""
    yield
    until = time.monotonic() + 3  # a killed process takes a moment to leave /proc
    while (left := traces()) and time.monotonic() < until:
        time.sleep(0.05)
    assert not left, f"left behind: {sorted(left)}"


def traces() -> set[str]:
    found = {str(path) for path in Path(tempfile.gettempdir()).glob(f"gymboard.{owner()}*")}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if owner().encode() in (entry / "cmdline").read_bytes():
                found.add(f"process {entry.name}")
    return found | docker_traces()


def docker_traces() -> set[str]:
    import docker

    try:
        client = docker.from_env()
    except docker.errors.DockerException:
        return set()
    ours = {"label": f"gymboard.owner={owner()}"}
    found = {f"container {one.name}" for one in client.containers.list(all=True, filters=ours)}
    found |= {f"volume {one.name}" for one in client.volumes.list(filters=ours)}
    client.close()
    return found
