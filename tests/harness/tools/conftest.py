"""A sandbox of each kind with a small workspace, and the tools on it without any agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness import images
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec, Engine
from harness.tools.base import ToolResult, ToolState
from harness.tools.registry import call

Use = Callable[..., ToolResult]


@pytest.fixture(scope="session", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    images.environment("cpu", print) if request.param == "local" else images.build("cpu", None, print)
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture
def state(engine: Engine, tmp_path: Path) -> Iterator[ToolState]:
    starter, data = tmp_path / "starter", tmp_path / "data"
    (starter / "src").mkdir(parents=True)
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    (data / "train.csv").write_text("id,y\n1,2\n")
    (starter / "numbers.txt").write_text("".join(f"line {n}\n" for n in range(1, 501)))
    (starter / "src" / "model.py").write_text("import os\n\n\ndef score(x):\n    return x + 1\n")
    with engine.sandbox(BoxSpec("cpu", starter, mounts={"data": data})) as box:
        yield ToolState(box)


@pytest.fixture
def use(state: ToolState) -> Use:
    def calling(name: str, /, **arguments: object) -> ToolResult:
        return call(state, name, arguments)

    return calling


@pytest.fixture
def bash(state: ToolState) -> Callable[[str], str]:
    def running(command: str) -> str:
        done = state.box.exec(command, 60)
        assert done.exit_code == 0, done
        return done.stdout

    return running
