"""EventLog: events as JSON lines in one file that several processes and threads write at once.

Takes Events, appends each by one write under the file's lock: no line is torn or mingled with another. A file that
cannot be written any more is said once and left: a log costs no episode. Never flushed to disk: the records of an
episode are, and a log decides nothing.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from harness.errors import SchemaError, UsageError, in_words
from harness.telemetry.event import Event

_logger = logging.getLogger("gymboard")


class EventLog:
    """A Tell. Raises UsageError when the file is none that can be appended to, OSError when it cannot be opened."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._handle: int | None = _opened(file)

    def __call__(self, event: Event) -> None:
        """One line; dropped when the log is closed, for instance by a thread that was left behind."""
        line = json.dumps(event.model_dump(mode="json", exclude_defaults=True)).encode() + b"\n"
        with self._lock:
            if self._handle is None:
                return
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX)
                try:
                    _append(self._handle, line)
                finally:
                    fcntl.flock(self._handle, fcntl.LOCK_UN)
            except OSError as error:
                self._closed()
                _logger.warning("%s is not written any further: %s", self._file, in_words(error, self._file))

    def close(self) -> None:
        with self._lock:
            self._closed()

    def _closed(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def read_events(file: Path) -> Iterator[Event]:
    """Every line that is an event, in order; none when there is no such file. What is torn, or of another version, is
    passed over: it can only be missing from a report."""
    if not file.is_file():
        return
    with file.open("rb") as lines:
        for line in lines:
            try:
                yield Event.from_json(line)
            except SchemaError:
                continue


def _opened(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    kind = os.fstat(handle).st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISCHR(kind):
        os.close(handle)
        raise UsageError(f"{file} is neither a file nor a terminal; a log is appended to one")
    return handle


def _append(handle: int, line: bytes) -> None:
    """The line, behind a newline when the last one was torn (power loss, a full disk)."""
    if stat.S_ISREG(os.fstat(handle).st_mode) and (size := os.fstat(handle).st_size):
        line = line if os.pread(handle, 1, size - 1) == b"\n" else b"\n" + line
    while line:
        line = line[os.write(handle, line) :]
