"""`validate` and `submit` of a finished program: takes words off the door, gives the episode one Ask at a time.

A connection says one of two words and a newline, and waits for `<exit code>\\n<text>`. Never acts on anything itself.
"""

from __future__ import annotations

import queue
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Literal

from harness.gateway.door import Peer

AskKind = Literal["validate", "submit"]
KINDS: dict[bytes, AskKind] = {b"validate": "validate", b"submit": "submit"}
WORD_BYTES = 16
WAITING = 8


@dataclass(frozen=True)
class Ask:
    """One question of the program; `answer` takes (text, exit code)."""

    kind: AskKind
    answer: Future[tuple[str, int]] = field(default_factory=Future)


class Asks:
    """The questions that wait. Give it to a Door."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Ask] = queue.Queue(WAITING)
        self._closed = False

    def next(self, timeout_s: float) -> Ask | None:
        """The oldest question; None when none comes in time."""
        try:
            return self._waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def __call__(self, peer: Peer) -> None:
        word = b""
        while b"\n" not in word and len(word) <= WORD_BYTES:
            if not (piece := peer.receive()):
                break
            word += piece
        kind = KINDS.get(word.removesuffix(b"\n"))
        if kind is None:
            return peer.send(b"1\nsay validate or submit, and nothing else")
        ask = Ask(kind)
        try:
            self._waiting.put_nowait(ask)
        except queue.Full:
            return peer.send(b"1\n%d questions wait already; ask again when one is answered" % WAITING)
        if self._closed:
            self.close()
        try:
            text, code = ask.answer.result()
        except CancelledError:
            return None
        return peer.send(f"{code}\n{text}".encode(errors="replace"))

    def close(self) -> None:
        """Nobody waits any longer, nor who comes later."""
        self._closed = True
        while ask := self.next(0):
            ask.answer.cancel()
