"""Bounded output of one command: finds the end mark in a stream, keeps the rest's head and tail, counts the gap."""

from __future__ import annotations

from collections import deque

RECORD = b"\x1e"
MARK_CAP_BYTES = 256 << 10


class HeadTail:
    """The first and the last `cap_bytes // 2` bytes of what is fed; `dropped` counts those between."""

    def __init__(self, cap_bytes: int) -> None:
        self._half = cap_bytes // 2
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._fed = 0

    def feed(self, data: bytes) -> None:
        self._fed += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        if rest := data[room:]:
            self._tail.append(rest)
            self._tail_bytes += len(rest)
            while self._tail_bytes - len(self._tail[0]) >= self._half:
                self._tail_bytes -= len(self._tail.popleft())

    def _ends(self) -> tuple[bytes, bytes]:
        return bytes(self._head), b"".join(self._tail)[-self._half :] if self._half else b""

    @property
    def dropped(self) -> int:
        return self._fed - sum(map(len, self._ends()))

    def text(self) -> str:
        """UTF-8, what is not replaced; a line in the middle says how much is missing."""
        head, tail = self._ends()
        gap = f"\n[... {self.dropped} bytes left out ...]\n".encode() if self.dropped else b""
        return (head + gap + tail).decode("utf-8", errors="replace")


class MarkedStream:
    """One stream of one command. `mark` is the text between the record separators once it came, else None."""

    def __init__(self, nonce: str, cap_bytes: int) -> None:
        self._start = RECORD + nonce.encode() + b" "
        self._pending = b""
        self._in_mark = False
        self.kept = HeadTail(cap_bytes)
        self.mark: str | None = None

    def feed(self, data: bytes) -> None:
        """Take what arrived; what follows the mark is nobody's and is let go."""
        if self.mark is not None:
            return
        data = self._pending + data
        if not self._in_mark:
            data = self._before_mark(data)
        self._pending = data
        if self._in_mark and RECORD in data:
            self.mark = data.partition(RECORD)[0][:MARK_CAP_BYTES].decode("utf-8", errors="replace")
        elif self._in_mark and len(data) > MARK_CAP_BYTES:
            self._pending = data[:MARK_CAP_BYTES]

    def _before_mark(self, data: bytes) -> bytes:
        """Keep the output; give back what may be part of a mark."""
        output, found, rest = data.partition(self._start)
        if found:
            self._in_mark = True
            self.kept.feed(output)
            return rest
        hold = len(self._start) - 1
        uncertain = data[-hold:].find(RECORD) if RECORD in data[-hold:] else None
        if uncertain is None:
            self.kept.feed(data)
            return b""
        cut = max(0, len(data) - hold) + uncertain
        self.kept.feed(data[:cut])
        return data[cut:]

    def text(self) -> str:
        """The output so far, also when no mark ever came."""
        if self.mark is None and not self._in_mark:
            self.kept.feed(self._pending)
            self._pending = b""
        return self.kept.text()
