"""Both engines under one set of tests; the docker ones carry the `docker` mark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import images
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, Caps, Engine, Sandbox

ENGINES = ["local", pytest.param("docker", marks=pytest.mark.docker)]


@pytest.fixture(scope="session")
def built() -> dict[str, bool]:
    return {}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, built: dict[str, bool]) -> Iterator[Engine]:
    if request.param not in built:
        images.environment("cpu", print) if request.param == "local" else images.build("cpu", None, print)
        built[request.param] = True
    with open_engine(request.param) as opened:
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
