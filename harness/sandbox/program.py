"""Talking to a grader program: a thread drains its output so that it never blocks on us; both streams are bounded.

Takes a Channel; gives send, read_line and the end of stderr, as harness.sandbox.base.Process asks. Starts nothing and
kills nothing.
"""

from __future__ import annotations

import threading
import time

from harness.errors import SandboxError
from harness.sandbox.channel import STDOUT, Channel, ChannelClosed

UNREAD_CAP_BYTES = 8 << 20
STDERR_CAP_BYTES = 16 << 10
SEND_LIMIT_S = 60.0


class Conversation:
    """The host's side of a program's three streams."""

    def __init__(self, channel: Channel, role: str) -> None:
        self._channel = channel
        self._role = role
        self._unread = bytearray()
        self._stderr = b""
        self._flooded = False
        self._ended = False
        self._news = threading.Condition()
        self._pump = threading.Thread(target=self._drain, name=f"gymboard-{role}", daemon=True)
        self._pump.start()

    def send(self, data: bytes) -> None:
        try:
            self._channel.send(data, SEND_LIMIT_S)
        except ChannelClosed:
            raise SandboxError(f"the {self._role} is gone; its last words: {self.stderr_tail()[-500:]!r}") from None
        except TimeoutError:
            raise SandboxError(f"the {self._role} did not read its input for {SEND_LIMIT_S:g} s") from None

    def read_line(self, timeout_s: float, cap_bytes: int) -> bytes:
        deadline = time.monotonic() + timeout_s
        scanned = 0
        with self._news:
            while (end := self._unread.find(b"\n", scanned)) < 0:
                scanned = len(self._unread)
                if scanned > cap_bytes or self._flooded:
                    raise self._too_long(min(cap_bytes, scanned))
                if self._ended:
                    return self._take(scanned, 0)
                if not self._news.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise SandboxError(f"the {self._role} gave no line within {timeout_s:g} s")
            if end > cap_bytes:
                raise self._too_long(cap_bytes)
            return self._take(end, 1)

    def stderr_tail(self) -> str:
        """The end of what it wrote to standard error."""
        with self._news:
            return self._stderr.decode("utf-8", errors="replace")

    def join(self) -> None:
        """Wait for the streams' end, after the program was killed."""
        self._pump.join(timeout=5)

    def _too_long(self, cap_bytes: int) -> SandboxError:
        return SandboxError(f"the {self._role} wrote a line longer than {cap_bytes} bytes; no more is read of it")

    def _take(self, count: int, separator: int) -> bytes:
        line = bytes(self._unread[:count])
        del self._unread[: count + separator]
        return line

    def _drain(self) -> None:
        try:
            while True:
                chunks = self._channel.receive(0.25)
                for stream, data in chunks:
                    self._keep(stream, data)
                if not chunks and self._channel.exit_code() is not None:
                    break
        except (ChannelClosed, OSError, ValueError):
            pass
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _keep(self, stream: int, data: bytes) -> None:
        with self._news:
            if stream != STDOUT:
                self._stderr = (self._stderr + data)[-STDERR_CAP_BYTES:]
                return
            room = UNREAD_CAP_BYTES - len(self._unread)
            self._unread += data[:room]
            self._flooded = self._flooded or len(data) > room
            self._news.notify_all()
