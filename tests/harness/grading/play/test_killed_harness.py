"""A harness killed in the middle of a grade: the next engine that opens removes everything that it left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.sandbox import open_engine
from harness.sandbox.base import Engine

GRADE = """
import sys
from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.owner import owner
from harness.schema.task import load_task, tasks_root

folder = tasks_root() / "battle-of-sexes"
code = b"import time\\ndef row_strategy(history): time.sleep(1000)"
with open_engine(sys.argv[1]) as engine:
    print(owner(), flush=True)
    grade_play(GradeJob(load_task(folder), folder, "smoke", "sealed", {"strategy.py": code}, bytes(32)), engine)
"""


def left_by(owner: str) -> set[str]:
    found = {str(path) for path in Path(tempfile.gettempdir()).glob(f"gymboard.{owner}*")}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if owner.encode() in (entry / "cmdline").read_bytes():
                found.add(f"process {entry.name}")
        except OSError:
            continue
    return found


def containers_of(owner: str) -> int:
    import docker

    client = docker.from_env()
    ours = {"label": f"gymboard.owner={owner}"}
    count = len(client.containers.list(all=True, filters=ours, ignore_removed=True)) + len(
        client.volumes.list(filters=ours)
    )
    client.close()
    return count


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


def test_the_next_engine_removes_what_a_killed_harness_left(engine: Engine) -> None:
    root = Path(__file__).resolve().parents[4]
    harness = subprocess.Popen(
        [sys.executable, "-c", GRADE, engine.kind],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert harness.stdout
    owner = harness.stdout.readline().strip()
    assert re.fullmatch(r"\d+-\d+-.*", owner)
    docker = engine.kind == "docker"
    playing = (lambda: containers_of(owner) == 3) if docker else (lambda: len(left_by(owner)) >= 6)
    assert wait_until(playing, 60)
    harness.send_signal(signal.SIGKILL)
    harness.wait()
    harness.stdout.close()
    with open_engine(engine.kind):
        assert wait_until(lambda: not left_by(owner), 20), left_by(owner)
        assert not docker or wait_until(lambda: containers_of(owner) == 0, 20)  # another engine may be at it
