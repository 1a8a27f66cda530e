"""Who is at work in a run's folder: the whole run, one episode of it, or the one who writes run.json.

Takes the run's folder, gives locks of the kernel's, free again when their holder dies. One process holds a run alone,
or several hold it together, each with episodes of its own. Never waits for a run or an episode: what is held is
refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError

LOCKS = ".locks"


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
def episode_lock(folder: Path, key: str) -> Iterator[None]:
    """Hold episode `key` of the run in `folder`. Raises UsageError when another process does."""
    with _held(_file(folder, key.replace("/", "--")), os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as held:
        if not held:
            raise UsageError(f"another process plays {key} of {folder}; wait for it")
        yield


@contextmanager
def manifest_lock(folder: Path) -> Iterator[None]:
    """Hold run.json; the one lock that is waited for, as nobody holds it long."""
    with _held(_file(folder, "run.json"), os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX, wait=True):
        yield


def _file(folder: Path, name: str) -> Path:
    (folder / LOCKS).mkdir(exist_ok=True)
    return folder / LOCKS / name


@contextmanager
def _held(path: Path, flags: int, kind: int, *, wait: bool = False) -> Iterator[bool]:
    handle = os.open(path, flags | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)
