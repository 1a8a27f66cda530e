"""Who is at work in a run's folder: the whole run, one episode of it, or the one who writes run.json.

Takes the run's folder, gives locks of the kernel's, free again when their holder dies. One process holds a run alone,
or several hold it together, each with episodes of its own. Never waits for a run or an episode: what is held is
refused, after the moment that a worker whose driver died has to end.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError

LOCKS = ".locks"
ORPHAN_S = 100.0
LOOK_S = 0.1


@contextmanager
def run_lock(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a run's folder, made when it is not there; `shared`: beside others who hold it so.

    Raises UsageError when it is held otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder, os.O_RDONLY | os.O_DIRECTORY, fcntl.LOCK_SH if shared else fcntl.LOCK_EX) as held:
        if not held:
            raise UsageError(f"another process runs in {folder}; wait for it, or choose another --run name")
        yield


@contextmanager
def episode_lock(folder: Path, key: str, wait_s: float = ORPHAN_S) -> Iterator[None]:
    """Hold episode `key` of the run in `folder`, within `wait_s`. Raises UsageError when another process does."""
    with _held(_file(folder, key.replace("/", "--")), os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX, wait_s) as held:
        if not held:
            raise UsageError(f"another process plays {key} of {folder}; wait for it")
        yield


@contextmanager
def manifest_lock(folder: Path) -> Iterator[None]:
    """Hold run.json; the one lock that is waited for, as nobody holds it long."""
    with _held(_file(folder, "run.json"), os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX, math.inf):
        yield


def clear_locks(folder: Path) -> None:
    """Of a run that is whole, held by the caller alone."""
    shutil.rmtree(folder / LOCKS)


def _file(folder: Path, name: str) -> Path:
    (folder / LOCKS).mkdir(exist_ok=True)
    return folder / LOCKS / name


@contextmanager
def _held(path: Path, flags: int, kind: int, wait_s: float = 0.0) -> Iterator[bool]:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        yield _locked(handle, kind, time.monotonic() + wait_s)
    finally:
        os.close(handle)


def _locked(handle: int, kind: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOOK_S)
        else:
            return True
