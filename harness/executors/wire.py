"""What a driver and its worker say to each other: JSON lines over a socket that both ends close by dying.

Takes and gives dicts whose first key is the kind of message. The driver's: words, play (a key), finish (the step and
then end), end (at once). The worker's: progress, ended (a key), left (a key: unfinished, told to finish), fault (it
cannot work at all). Never waits for an answer, and never holds more than MOST_BYTES of a line.
"""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

READ_BYTES = 1 << 16
MOST_BYTES = 1 << 20
"""Of one message."""
LONGEST = 10_000
"""Characters of why something failed."""


class NoMessage(ValueError):
    """The other end wrote what is none."""


class Wire:
    """One end. Whole lines only; sending is safe across threads."""

    def __init__(self, end: socket.socket) -> None:
        self._socket, self._rest = end, b""
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any]) -> bool:
        """False: nobody is there any more."""
        try:
            with self._lock:
                self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that are there, after waiting for some; None: the other end is gone. Raises NoMessage."""
        try:
            data = self._socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MOST_BYTES:
            raise NoMessage(f"a line of more than {MOST_BYTES >> 20} MiB")
        return [_message(line) for line in lines]

    def close(self) -> None:
        """The other end reads that we are gone."""
        self._socket.close()


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise NoMessage("a line that is no JSON") from None
    if not isinstance(message, dict):
        raise NoMessage("a line that is no JSON object")
    return message
