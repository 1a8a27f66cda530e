"""Files that are there whole or not at all. Takes a path and bytes, writes; never follows a link in the way."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

ROOM_BYTES = 32 << 20
"""Of a run's disk: more than all that episodes side by side write between two looks."""
Kept = Callable[[], None]
"""Called when something is on disk, before anybody acts on it: where the disk may be lost, a copy is taken first."""


def nothing_more() -> None:
    """The disk is enough."""


def replace_file(file: Path, data: bytes) -> Path:
    """Write beside under a name that nobody can guess, flush to disk, rename: readers see the old bytes or the new."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as beside:
        try:
            beside.write(data)
            beside.flush()
            os.fchmod(beside.fileno(), 0o644)
            os.fsync(beside.fileno())
            return Path(beside.name).replace(file)
        except BaseException:
            Path(beside.name).unlink(missing_ok=True)
            raise


def flush(path: Path) -> None:
    """What a file or a folder holds is on disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def nearest(folder: Path) -> Path:
    """What is there of a folder that may have to be made: itself, or what it would be made in."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())


def is_open(place: Path) -> bool:
    """Whether it is a folder in which this process may make something."""
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


def demand_room(folder: Path) -> None:
    """Raises OSError when a folder's disk is as good as full: what is written there could be torn."""
    there = os.statvfs(folder)
    if there.f_bavail * there.f_frsize < ROOM_BYTES:
        words = f"less than {ROOM_BYTES >> 20} MiB are free there; free some"
        raise OSError(errno.ENOSPC, words, str(folder))


class LineFile:
    """Lines that are only ever appended, each on disk before append() returns. A torn last line is cut off first."""

    def __init__(self, file: Path) -> None:
        self._handle = file.open("ab+")
        cut_torn_line(self._handle)

    def append(self, line: bytes) -> None:
        """`line` without its newline."""
        self._handle.write(line + b"\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())

    def close(self) -> None:
        self._handle.close()


def cut_torn_line(handle: BinaryIO) -> None:
    """Drop what follows the last newline: power failed while it was written, and nobody acted on it."""
    end = handle.seek(0, os.SEEK_END)
    start = end
    while start:
        begin = max(0, start - 65536)
        handle.seek(begin)
        if newline := handle.read(start - begin).rfind(b"\n") + 1:
            start = begin + newline
            break
        start = begin
    if start < end:
        handle.truncate(start)
