"""At most one request a second, by all processes of this user together.

Takes the file that they share, waits until a second has passed since the time in it. Never waits longer than it may.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


class Pace:
    """`apart_s`: seconds between two requests."""

    def __init__(self, file: Path, apart_s: float = 1.0) -> None:
        self._file, self._apart_s = file, apart_s

    def wait(self, most_s: float) -> bool:
        """Wait for one's turn; False, at once or after `most_s` seconds, when it does not come in time."""
        deadline = time.monotonic() + most_s
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            while not self._mine(handle):
                if time.monotonic() + self._apart_s / 20 > deadline:
                    return False
                time.sleep(self._apart_s / 20)
            return True
        finally:
            os.close(handle)

    def _mine(self, handle: int) -> bool:
        """Take the turn when nobody holds it and the last one is long enough ago."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            since = time.time() - _last(os.pread(handle, 64, 0))
            if 0 <= since < self._apart_s:
                return False
            os.pwrite(handle, f"{time.time():020.6f}".encode(), 0)
            return True
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def _last(text: bytes) -> float:
    try:
        return float(text or b"0")
    except ValueError:
        return 0.0
