"""What several processes lack at once is made once; a maker that dies leaves the turn to the next."""

from __future__ import annotations

import multiprocessing
import secrets
import signal
import time
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest

from harness import images
from harness.turn import turn

CONTEXT = multiprocessing.get_context("spawn")


def make(root: Path, home: Path, base: str, said: Queue[str]) -> None:
    """Build the families of `root` in a home of our own; what is said goes into `said`, the result last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "tasks_root", lambda: root)
        patch.setenv("GYMBOARD_HOME", str(home))
        made = images.build("tiny", base, said.put) if base else images.environment("tiny", said.put)
        said.put(f"made {made}")


def at_once(root: Path, home: Path, base: str) -> list[list[str]]:
    """What two processes say that begin together."""
    queues: list[Any] = [CONTEXT.Queue() for _ in range(2)]
    makers = [CONTEXT.Process(target=make, args=(root, home, base, queue)) for queue in queues]
    for maker in makers:
        maker.start()
    said = [read(queue) for queue in queues]
    for maker in makers:
        maker.join(60)
        assert maker.exitcode == 0
    return said


def read(queue: Any) -> list[str]:
    lines = [queue.get(timeout=120)]
    while not lines[-1].startswith("made "):
        lines.append(queue.get(timeout=120))
    return lines


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A family that nobody has built, and whose build takes long enough to be met."""
    folder = tmp_path / "tasks" / "images" / "tiny"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(
        f"ARG BASE_IMAGE\nFROM ${{BASE_IMAGE}}\n# {secrets.token_hex(8)}\nRUN echo building; sleep 3\n"
    )
    (folder / "requirements.txt").write_text("")
    return tmp_path / "tasks"


def test_an_environment_is_made_once(tiny: Path, tmp_path: Path) -> None:
    said = at_once(tiny, tmp_path / "home", "")
    assert said[0][-1] == said[1][-1]
    assert sum(" -m venv " in line for lines in said for line in lines) == 1
    assert sum("waiting for it" in line for lines in said for line in lines) == 1


@pytest.mark.docker
def test_an_image_is_built_once(tiny: Path, tmp_path: Path) -> None:
    base = images.build("cpu", None, print)
    said = at_once(tiny, tmp_path / "home", base)
    images.connect().images.remove(said[0][-1].removeprefix("made "), force=True)
    assert said[0][-1] == said[1][-1]
    assert sum(line == "building" for lines in said for line in lines) == 1
    assert sum("waiting for it" in line for lines in said for line in lines) == 1


def hold(home: Path, said: Queue[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GYMBOARD_HOME", str(home))
        with turn("cpu", said.put):
            said.put("held")
            time.sleep(600)


def test_a_dead_holder_frees_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: Any = CONTEXT.Queue()
    holder = CONTEXT.Process(target=hold, args=(tmp_path, said))
    holder.start()
    assert said.get(timeout=60) == "held"
    waits: list[str] = []

    def waiting(line: str) -> None:
        waits.append(line)
        holder.kill()

    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path))
    with turn("cpu", waiting):
        holder.join(60)
        assert holder.exitcode == -signal.SIGKILL
    assert waits == ["another process is making cpu; waiting for it"]
