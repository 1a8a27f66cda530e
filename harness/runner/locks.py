"""Who is at work in a run's folder: the whole run, one episode of it, or the one who writes run.json.

Takes the run's folder, gives locks of the kernel's, free again when their holder dies. One process holds a run alone,
or several hold it together, each with episodes of its own. Never waits for a run or an episode: what is held is
refused, after the moment that somebody who only looks takes, or that a worker whose driver died has to end. Each lock
is a file that is opened for writing: of a folder, NFS gives no exclusive one.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import UsageError

LOCKS, RUN = ".locks", "run"
ORPHAN_S = 100.0
GLANCE_S = 0.2
"""More than `gymboard runs list` holds a lock to see whether somebody else does."""
LOOK_S = 0.05


@contextmanager
def run_lock(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a run's folder, made when it is not there; `shared`: beside others who hold it so.

    Raises UsageError when it is held otherwise.
    """
    with held(folder / LOCKS / RUN, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, GLANCE_S) as mine:
        if not mine:
            raise UsageError(f"another process runs in {folder}; wait for it, or choose another --run name")
        yield


@contextmanager
def episode_lock(folder: Path, key: str, wait_s: float = ORPHAN_S) -> Iterator[None]:
    """Hold episode `key` of the run in `folder`, within `wait_s`. Raises UsageError when another process does."""
    with held(episode_file(folder, key), fcntl.LOCK_EX, wait_s) as mine:
        if not mine:
            raise UsageError(f"another process plays {key} of {folder}; wait for it")
        yield


@contextmanager
def manifest_lock(folder: Path) -> Iterator[None]:
    """Hold run.json; the one lock that is waited for, as nobody holds it long."""
    with held(folder / LOCKS / "run.json", fcntl.LOCK_EX, math.inf):
        yield


def clear_locks(folder: Path) -> None:
    """Of a run that is whole, held by the caller alone; what another process makes anew meanwhile may stay."""
    shutil.rmtree(folder / LOCKS, ignore_errors=True)


def episode_file(folder: Path, key: str) -> Path:
    """The lock of episode `key` of the run in `folder`."""
    return folder / LOCKS / key.replace("/", "--")


@contextmanager
def held(file: Path, kind: int, wait_s: float = 0.0) -> Iterator[bool]:
    """Whether this process now has a lock of `kind` on `file`, made when it is not there. Raises OSError."""
    deadline = time.monotonic() + wait_s
    while True:
        handle = _opened(file)
        try:
            mine = _locked(handle, kind, deadline)
            if mine and not _names(file, handle):
                continue  # it was removed before we had it: who comes next locks another file
            yield mine
            return
        finally:
            os.close(handle)


def _opened(file: Path) -> int:
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # the folder was removed meanwhile
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


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


def _names(file: Path, handle: int) -> bool:
    try:
        return os.path.samestat(file.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False
