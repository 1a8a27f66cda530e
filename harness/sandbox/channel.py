"""What a shell speaks through: bytes in, two streams of bytes out. Knows no command and no container."""

from __future__ import annotations

from typing import Protocol

STDOUT, STDERR = 1, 2
Chunks = list[tuple[int, bytes]]


class ChannelClosed(Exception):
    """The program at the other end is gone, or its pipes are."""


class Channel(Protocol):
    """A running program's standard input, output and error."""

    def send(self, data: bytes, timeout_s: float) -> None:
        """Write all of it. Raises ChannelClosed, TimeoutError."""
        ...

    def receive(self, timeout_s: float) -> Chunks:
        """What has arrived, as (stream, bytes); empty when nothing does in time. Raises ChannelClosed at the end."""
        ...

    def exit_code(self) -> int | None:
        """None while the program runs."""
        ...

    def close(self) -> None: ...
