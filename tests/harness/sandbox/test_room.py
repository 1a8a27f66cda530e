"""Before a container is made there is room for it, or the refusal says how much is missing where."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness import images
from harness.errors import NoRoom
from harness.sandbox import open_engine, room
from harness.sandbox.base import BoxSpec
from harness.sandbox.owner import owner
from harness.sandbox.room import Floors, Room, free_memory_mib

MEMINFO = "MemTotal:       24000000 kB\nMemFree:        1 kB\nMemAvailable:   {kib} kB\n"


@pytest.fixture
def meminfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "meminfo"
    file.write_text(MEMINFO.format(kib=100 << 10))
    monkeypatch.setattr(room, "MEMINFO", file)
    return file


def test_free_memory_is_what_the_kernel_says_is_available(meminfo: Path) -> None:
    assert free_memory_mib() == 100


def test_too_little_memory_is_refused_in_words(meminfo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "FLOORS", Floors(wait_s=0))
    with pytest.raises(NoRoom, match=r"100 MiB of memory for a container are free, 512 are needed; end something"):
        Room(meminfo.parent, 24_000).demand(2048)
    Room(meminfo.parent, 24_000).demand(90)


def test_memory_that_comes_free_is_waited_for(meminfo: Path, caplog: pytest.LogCaptureFixture) -> None:
    threading.Timer(1, meminfo.write_text, [MEMINFO.format(kib=8 << 20)]).start()
    Room(meminfo.parent, 24_000).demand(2048)
    assert "waiting up to 60 s" in caplog.text


def test_an_engine_elsewhere_is_not_judged_by_this_machine(meminfo: Path) -> None:
    Room(None, 24_000).demand(2048)


@pytest.mark.docker
def test_nothing_is_made_where_there_is_no_room(starter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images.build("cpu", None, print)
    with open_engine("docker") as engine:
        monkeypatch.setattr(room, "FLOORS", Floors(engine_disk_mib=1 << 40, wait_s=0))
        with pytest.raises(NoRoom, match="the container engine's folder"):
            engine.sandbox(BoxSpec("cpu", starter))
        ours = {"label": f"gymboard.owner={owner()}"}
        assert images.connect().containers.list(all=True, filters=ours) == []
