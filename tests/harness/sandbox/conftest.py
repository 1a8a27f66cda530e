"""Every engine under one set of tests: plain processes, Docker (mark `docker`), Podman by its Docker API (`podman`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import images
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, Caps, Engine, Sandbox
from tests.conftest import lacking
from tests.harness.sandbox.kinds import ENGINES
from tests.harness.sandbox.podman import give_image, podman_service
from tests.harness.sandbox.podman import lacking as podman_lacking


@pytest.fixture(scope="session")
def built() -> dict[str, bool]:
    return {}


@pytest.fixture(scope="session")
def podman() -> Iterator[str]:
    """What DOCKER_HOST is set to for it."""
    if why := podman_lacking():
        lacking("podman", why)
    with podman_service() as host:
        give_image(host, "cpu")
        yield host


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, built: dict[str, bool], monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    kind = request.param
    if kind == "podman":
        monkeypatch.setenv("DOCKER_HOST", request.getfixturevalue("podman"))
        kind = "docker"
    if request.param not in built:
        images.environment("cpu", print) if kind == "local" else images.build("cpu", None, print)
        built[request.param] = True
    with open_engine(kind) as opened:
        yield opened


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    folder = tmp_path / "starter"
    (folder / "src").mkdir(parents=True)
    (folder / "baseline.py").write_text("print('baseline')\n")
    (folder / "src" / "model.py").write_text("x = 1\n")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "train.csv").write_text("id,y\n1,2\n")
    return folder


@pytest.fixture
def box(engine: Engine, starter: Path, data: Path) -> Iterator[Sandbox]:
    spec = BoxSpec("cpu", starter, mounts={"data": data}, env={"GYMBOARD_ROWS": "7"}, caps=Caps(pids=100))
    with engine.sandbox(spec) as opened:
        yield opened
