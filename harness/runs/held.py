"""Whether anybody is at work in a run's folder, or on one episode of it, at this moment.

Takes folders, gives yes or no by trying the lock that harness.runner.locks takes, for some microseconds. Never makes a
file, never waits, never follows a link.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from harness.runner.locks import LOCKS, RUN, episode_file


def run_held(folder: Path) -> bool:
    """Whether a driver, or a process with episodes of its own, works on the run; or a worker whose driver has died and
    who ends his step. Raises OSError."""
    return any(_lock_held(file) for file in _locks(folder))


def any_episode_held(folder: Path) -> bool:
    """Whether anybody plays an episode of the run in `folder`, or writes its run.json."""
    return any(_lock_held(file) for file in _locks(folder) if file.name != RUN)


def episode_held(folder: Path, key: str) -> bool:
    """Whether a process plays episode `key` of the run in `folder`."""
    return _lock_held(episode_file(folder, key))


def _locks(folder: Path) -> list[Path]:
    locks = folder / LOCKS
    if locks.is_symlink() or not locks.is_dir():
        return []
    return [file for file in locks.iterdir() if not file.is_symlink() and file.is_file()]


def _lock_held(file: Path) -> bool:
    """By anybody, also together with others; of another user's run, who may only read it, by one alone."""
    try:
        return _held(file, os.O_RDWR, fcntl.LOCK_EX)
    except FileNotFoundError:
        return False
    except OSError:  # nothing may be written here
        return _held(file, os.O_RDONLY, fcntl.LOCK_SH)


def _held(file: Path, way: int, kind: int) -> bool:
    handle = os.open(file, way | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)
