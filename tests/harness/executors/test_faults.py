"""The fault table: whatever breaks under episodes side by side, none is lost, none is paid twice, nothing is left, and
the record is that of a run that nothing disturbed, up to its times.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harness.files import ROOM_BYTES
from tests.conftest import lacking, missing
from tests.harness.executors.preloaded import preloaded
from tests.harness.executors.side import NOTHING, STEPS, Side, counted, ended, kill, script, until
from tests.servers.models import model_server

SANDBOXES = ["local", pytest.param("docker", marks=pytest.mark.docker)]
JOBS = ("--jobs", "2")


@pytest.fixture
def sandbox() -> str:
    """Where one is enough: containers, whenever an engine answers."""
    return "local" if missing("docker") else "docker"


def test_nothing_happens(tmp_path: Path, undisturbed: Any) -> None:
    """Two at a time leave what one after another leave."""
    side = Side(tmp_path)
    with model_server(script) as server:
        code, said = side.end(server, *JOBS, "--plain")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
    for seed in range(side.seeds):
        assert f"house-price/seed-{seed} step 4/50 thinking" in said, "a line a step, each with its episode"
    assert side.record() == undisturbed("local")


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_the_driver_is_killed(tmp_path: Path, sandbox: str, undisturbed: Any) -> None:
    """Twice; its workers finish their steps and end by themselves."""
    side, chance = Side(tmp_path, sandbox), random.Random(8)
    with model_server(script) as server:
        for life in range(2):
            child = side.begin(server, *JOBS, *["--resume"][:life])
            side.asked(child, server, chance.randint(2, 5))
            kill(child.pid)
            child.communicate()
        code, said = side.end(server, *JOBS, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() == 0, "not even a call in flight"
    assert side.record() == undisturbed(sandbox)


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_workers_are_killed(tmp_path: Path, sandbox: str, undisturbed: Any) -> None:
    """Three of them, one after another: the run itself goes on, without --resume."""
    side, chance = Side(tmp_path, sandbox), random.Random(9)
    with model_server(script) as server:
        child = side.begin(server, *JOBS)
        for _ in range(3):
            side.asked(child, server, chance.randint(1, 3))
            kill(chance.choice(side.workers(child)))
        code, said = ended(child)
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
        assert side.lost() <= 3, "at most the call in flight at each kill"
    assert side.record(bill=False) == undisturbed(sandbox, bill=False)


def test_the_model_is_away(tmp_path: Path, sandbox: str, undisturbed: Any) -> None:
    """For longer than a provider that never answered would be given: the episodes wait and go on."""
    side, away_s = Side(tmp_path, sandbox), 60.0
    with model_server(script) as server:
        child = side.begin(server, *JOBS)
        until(lambda: len(server.asked) >= 3)
        url = server.url
    time.sleep(away_s)
    with model_server(script, port=int(url.rpartition(":")[2])) as again:
        code, said = ended(child)
        assert code == 0, said
        again.bill[:0] = server.bill
        assert dict(counted(side, again)) == NOTHING
    assert side.record(bill=False) == undisturbed(sandbox, bill=False)


def test_the_disk_is_full(small_disk: Path, sandbox: str, undisturbed: Any) -> None:
    """Filled under two running episodes: what they were paid for is kept, nothing more is paid, space heals it."""
    side, ballast = Side(small_disk, sandbox), small_disk / "ballast"
    with model_server(script) as server:
        child = side.begin(server, *JOBS)
        until(lambda: len(server.asked) >= 4)
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        ballast.write_bytes(bytes(free - ROOM_BYTES // 8))
        code, said = ended(child)
        assert code == 1 and "free some" in said and "--resume" in said, said
        paid = len(server.bill)
        assert paid < side.seeds * STEPS and len(side.answered()) == paid, "every paid answer is on disk"
        code, said = side.end(server, *JOBS, "--resume")
        assert (code, "free some" in said, len(server.bill)) == (2, True, paid), "full at the start: nobody is asked"
        ballast.unlink()
        code, said = side.end(server, *JOBS, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
    assert side.record() == undisturbed(sandbox)


@pytest.mark.parametrize("days", [400, -400])
def test_the_clock_jumps(tmp_path: Path, days: int, sandbox: str, undisturbed: Any) -> None:
    """In every process of the run, in its middle: limits and waits go by another clock than the wall's."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    side = Side(tmp_path, sandbox, environment=preloaded("jumped.c", tmp_path) | {"JUMPED_CLOCK": str(clock)})
    with model_server(script) as server:
        child = side.begin(server, *JOBS)
        until(lambda: len(server.asked) >= 4)
        clock.write_text(str(days))
        code, said = ended(child)
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
    dates = {line[:10] for file in side.run.rglob("steps.jsonl") for line in moments(file)}
    assert len(dates) > 1, "the clock did jump under the run"
    assert side.record() == undisturbed(sandbox)


def moments(file: Path) -> Iterator[str]:
    """The time of every step."""
    for line in file.read_text().splitlines():
        yield json.loads(line)["time"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of twice the room that a run demands."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={2 * ROOM_BYTES}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        lacking("a disk", "a small one can be mounted by root only")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        with suppress(OSError):
            shutil.rmtree(place)


def test_a_worker_that_always_dies_costs_its_episode_alone(tmp_path: Path) -> None:
    side = Side(tmp_path)
    with model_server(script) as server:
        child = side.begin(server, "--jobs", "1000", "--only", "house-price/seed-0")
        while child.poll() is None:
            for pid in side.workers(child):
                kill(pid)
            time.sleep(0.05)
        code, said = ended(child)
        assert code == 1 and "died 3 times" in said and "SIGKILL" in said, said
        assert side.left() == []
        code, said = side.end(server, *JOBS, "--resume")
        assert code == 0, said
        assert dict(counted(side, server)) == NOTHING
