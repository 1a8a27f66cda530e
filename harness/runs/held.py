"""Whether anybody is at work in a run's folder, or on one episode of it, at this moment.

Takes folders, gives yes or no by trying the lock that harness.runner.locks takes, for some microseconds. Never makes a
file, never waits, never follows a link.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from harness.runner.locks import LOCKS


def run_held(folder: Path) -> bool:
    """Whether a driver, or a process with episodes of its own, works on the run; or a worker whose driver has died and
    who ends his step. Raises OSError."""
    return _held(folder, os.O_DIRECTORY, fcntl.LOCK_EX) or any_episode_held(folder)


def any_episode_held(folder: Path) -> bool:
    """Whether anybody plays an episode of the run in `folder`, or writes its run.json."""
    locks = folder / LOCKS
    if locks.is_symlink() or not locks.is_dir():
        return False
    return any(_lock_held(file) for file in locks.iterdir() if not file.is_symlink() and file.is_file())


def episode_held(folder: Path, key: str) -> bool:
    """Whether a process plays episode `key` of the run in `folder`."""
    return _lock_held(folder / LOCKS / key.replace("/", "--"))


def _lock_held(file: Path) -> bool:
    try:
        return _held(file, 0, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _held(path: Path, flags: int, kind: int) -> bool:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
