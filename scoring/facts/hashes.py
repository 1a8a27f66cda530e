"""SHA-256 of files, remembered while they stay what they were: the same inode, size, and times of change.

Takes a file to remember in, gives digests. A file is remembered only when its last change was more than a second before
it was hashed, so that a later change cannot share its times (git's index has the same rule); whoever can set a file's
time of change, or write this folder, could as well write the facts themselves. Damage costs time and changes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from pathlib import Path

from harness.errors import GymboardError
from harness.files import replace_file

SETTLED_NS = 1_000_000_000
FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
Known = dict[str, list[int | str]]
"""File -> device, inode, size, time of the last write, time of the last change, SHA-256."""


def known_file(file: str, status: os.stat_result, sha256: str) -> Known:
    """What may be remembered of a file that has just been hashed: nothing when it has just been changed too."""
    if max(status.st_mtime_ns, status.st_ctime_ns) < time.time_ns() - SETTLED_NS:
        return {file: [*looks(status), sha256]}
    return {}


class Hashes:
    """What is remembered of one board's files. `keep` None: nothing is."""

    def __init__(self, keep: Path | None) -> None:
        self._keep = keep
        self._known = _load(keep) if keep else {}
        self._now: Known = {}
        self.hashed = 0

    @property
    def remembers(self) -> bool:
        """Some files need no reading."""
        return bool(self._known)

    def sha256(self, file: str, cap: int, memory: memoryview) -> str:
        """Of a regular file of at most `cap` bytes, read into `memory` if it has to be. Raises GymboardError."""
        try:
            status = os.lstat(file)
        except OSError:
            raise GymboardError(f"{Path(file).name} is missing or not a regular file") from None
        known = self._known.get(file)
        if known is not None and status.st_size <= cap and known[:5] == looks(status):
            self._now[file] = known
            return str(known[5])
        return self._hash(file, cap, memory)

    def add(self, files: Known) -> None:
        """What another reader hashed."""
        self._now |= files
        self.hashed += len(files)

    def save(self) -> None:
        """Remember what was asked for or added; a folder that cannot be written is left as it is."""
        if self._keep and self.hashed:
            body = json.dumps(self._now, sort_keys=True).encode()
            with contextlib.suppress(OSError):
                self._keep.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._keep, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)

    def _hash(self, file: str, cap: int, memory: memoryview) -> str:
        descriptor, status = opened(file, cap)
        try:
            size = os.readv(descriptor, [memory[: status.st_size + 1]])
        finally:
            os.close(descriptor)
        if size != status.st_size:
            raise GymboardError(f"{Path(file).name} changed while it was read")
        sha256 = hashlib.sha256(memory[:size]).hexdigest()
        self.hashed += 1
        self._now |= known_file(file, status, sha256)
        return sha256


def opened(file: str, cap: int) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file of at most `cap` bytes, and what it looks like. Raises GymboardError."""
    try:
        descriptor = os.open(file, FLAGS)
    except OSError:
        raise GymboardError(f"{Path(file).name} is missing or not a regular file") from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= cap:
        return descriptor, status
    os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise GymboardError(f"{Path(file).name} is missing or not a regular file")
    raise GymboardError(f"{Path(file).name} has {status.st_size} bytes; at most {cap} are read")


def looks(status: os.stat_result) -> list[int | str]:
    """Device, inode, size, time of the last write, time of the last change."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _load(keep: Path) -> Known:
    known: Known = {}
    with contextlib.suppress(OSError, ValueError):
        seal, _, body = keep.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() == seal:
            known = json.loads(body)
    return known
