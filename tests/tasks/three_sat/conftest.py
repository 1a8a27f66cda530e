"""Both engines with the cpu family ready, and the modules of tasks/three-sat/grader as the referee sees them."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import images
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.sandbox.owner import owner

FOLDER = Path(__file__).resolve().parents[3] / "tasks" / "three-sat"
MODULES = ("dpll", "instances", "lockstep", "ratio")


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
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with which a test must not leave a container, a volume or a temporary folder behind."""
    opened: Engine = request.getfixturevalue(f"{request.param}_engine")
    yield opened
    left = _docker_traces() if opened.kind == "docker" else []
    left += [str(path) for path in Path(tempfile.gettempdir()).glob(f"gymboard.{owner()}*")]
    assert not left, f"left behind: {left}"


def _docker_traces() -> list[str]:
    import docker

    ours = {"label": f"gymboard.owner={owner()}"}
    with closing(docker.from_env()) as client:
        return [
            one.name for one in [*client.containers.list(all=True, filters=ours), *client.volumes.list(filters=ours)]
        ]


@pytest.fixture(scope="module")
def grader() -> Iterator[SimpleNamespace]:
    """dpll, instances, lockstep and ratio; forgotten afterwards, since other tasks may use the same names."""
    sys.path.insert(0, str(FOLDER / "grader"))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(FOLDER / "grader"))
        for name in MODULES:
            sys.modules.pop(name, None)
