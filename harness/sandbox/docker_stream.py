"""A program in a container, spoken to over the engine's hijacked socket. Takes the socket, gives a Channel.

Frames are eight bytes (stream, three zeros, length, big endian) and then the bytes (Docker Engine API, "Attach to a
container"). Nothing is buffered beyond what one read returned, so a program that prints without end waits for us.
"""

from __future__ import annotations

import contextlib
import select
import struct
import time
from collections.abc import Callable
from typing import Any

from harness.sandbox.channel import ChannelClosed, Chunks

HEADER = struct.Struct(">BxxxL")
READ_BYTES = 256 << 10
STALL_S = 0.5


class Frames:
    """Splits the multiplexed bytes; gives parts of a frame as they come."""

    def __init__(self) -> None:
        self._header = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> Chunks:
        chunks = []
        while data:
            if self._left == 0:
                missing = HEADER.size - len(self._header)
                self._header, data = self._header + data[:missing], data[missing:]
                if len(self._header) < HEADER.size:
                    break
                self._stream, self._left = HEADER.unpack(self._header)
                self._header = b""
                continue
            part, data = data[: self._left], data[self._left :]
            self._left -= len(part)
            chunks.append((self._stream, part))
        return chunks


class EngineStream:
    """One program's three streams. `ask_exit` asks the engine for its exit code, None while it runs; `ask_stalled` does
    so when the program takes no input, because the engine keeps the input of a program that has ended open."""

    def __init__(
        self, wrapper: Any, ask_exit: Callable[[], int | None], ask_stalled: Callable[[], int | None] | None = None
    ) -> None:
        self._wrapper = wrapper
        self._socket = getattr(wrapper, "_sock", wrapper)
        self._ask_exit = ask_exit
        self._ask_stalled = ask_stalled or ask_exit
        self._frames = Frames()
        self._closed = False
        self._readable = select.poll()
        self._readable.register(self._socket, select.POLLIN)

    def send(self, data: bytes, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        writable = select.poll()
        writable.register(self._socket, select.POLLOUT)
        left = memoryview(data)
        while left:
            wait_s = min(STALL_S, deadline - time.monotonic())
            if not writable.poll(max(0.0, wait_s) * 1000):
                if self._ask_stalled() is not None:
                    raise ChannelClosed
                if time.monotonic() >= deadline:
                    raise TimeoutError("the program does not read its input")
                continue
            try:
                # The socket may be in blocking mode; one page always fits once poll says so.
                left = left[self._socket.send(left[:4096]) :]
            except OSError:
                raise ChannelClosed from None

    def receive(self, timeout_s: float) -> Chunks:
        if self._closed:
            raise ChannelClosed
        if not self._readable.poll(max(0.0, timeout_s) * 1000):
            return []
        try:
            data = self._socket.recv(READ_BYTES)
        except OSError:
            data = b""
        if not data:
            raise ChannelClosed
        return self._frames.feed(data)

    def exit_code(self) -> int | None:
        return self._ask_exit()

    def close(self) -> None:
        """Close our end: the program reads the end of its input."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.close()
        with contextlib.suppress(OSError):
            self._wrapper.close()
