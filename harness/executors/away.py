"""An episode on a machine that does not see the run's folder: it plays in a folder of its own and tells the desk.

Takes a way to ask the desk, an episode's key and card, gives a folder to play in, the run's ledger and what to call
when something is on disk: lines and artifacts are with the desk before anybody acts on them, so that another machine
goes on where this one was lost. Never keeps what it played in.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from harness.errors import Abandoned, EpisodeOver, RunSpent, SandboxError
from harness.executors.copies import LAST, NEEDED_TO_GO_ON, TOLD, Sender, packed, unpack
from harness.executors.desk import Answer, Begun
from harness.llm.spending import SpendingLine
from harness.runner.manifest import FILE as RUN
from harness.sandbox.owner import folder_prefix
from harness.schema.base import Sha256, Timestamp


class AskDesk(Protocol):
    """Calls a method of the desk, wherever that is, and waits for what it gives."""

    def __call__(
        self, method: Literal["begin", "near", "put", "finish", "spending", "told", "orders"], *words: Any
    ) -> Any: ...


@dataclass(frozen=True)
class FarBooks:
    """The run's books, kept by the desk."""

    ask: AskDesk
    key: str
    life: int

    def spent_usd(self, episode: str | None = None) -> float:
        return float(self._asked("spent_usd", episode))

    def left_open(self, episode: str) -> list[SpendingLine]:
        return list(self._asked("left_open", episode))

    def reserve(self, episode: str, usd: float, limit_usd: float, time: Timestamp, request_sha256: Sha256) -> str:
        return str(self._asked("reserve", episode, usd, limit_usd, time, request_sha256))

    def settle(self, name: str, usd: float, time: Timestamp, request_sha256: Sha256) -> None:
        self._asked("settle", name, usd, time, request_sha256)

    def hold(self, model: str, wait_s: float) -> None:
        self._asked("hold", model, wait_s)

    def held_s(self, model: str) -> float:
        return float(self._asked("held_s", model))

    def _asked(self, what: str, *words: Any) -> Any:
        return value_of(self.ask("spending", self.key, self.life, what, *words))


@dataclass(frozen=True)
class Away:
    """Where one life of an episode plays. `folder` is the run's folder here, with run.json and, under `key`, what
    earlier lives left."""

    folder: Path
    books: FarBooks
    ask: AskDesk
    sender: Sender

    def kept(self) -> None:
        """Tell the desk what is on disk, so that another machine can go on from there. Raises as value_of does."""
        self._put(*NEEDED_TO_GO_ON, *TOLD)

    def told(self) -> None:
        """Tell the desk how it goes, of an episode that would be begun anew. Raises as value_of does."""
        self._put(*TOLD)

    def _put(self, *names: str) -> None:
        if changes := self.sender.changes(*names):
            value_of(self.ask("put", self.books.key, self.books.life, changes))


@contextmanager
def away(ask: AskDesk, key: str, card: str) -> Iterator[Away]:
    """A folder for one life of an episode; what is in it at the end is sent as one archive, and it is gone here."""
    begun: Begun = value_of(ask("begin", key, card))
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as scratch:
        folder = Path(scratch)
        (folder / RUN).write_bytes(begun.manifest)
        mine = folder / key
        mine.mkdir(parents=True)
        if begun.half is not None:
            unpack(begun.half, mine)
        sender = Sender(mine)
        if begun.done is not None:
            (mine / LAST).write_bytes(begun.done)
            yield Away(folder, FarBooks(ask, key, begun.life), ask, Sender(mine))
            return
        yield Away(folder, FarBooks(ask, key, begun.life), ask, sender)
        if rest := sender.rest():
            value_of(ask("finish", key, begun.life, packed(rest)))


def value_of(answer: Answer) -> Any:
    """What the desk gave. Raises what it refused with: RunSpent, EpisodeOver("cost"), Abandoned when another life of
    the episode has begun, SandboxError."""
    if answer.kind == "run":
        raise RunSpent(answer.refused)
    if answer.kind == "episode":
        raise EpisodeOver("cost", answer.refused)
    if answer.kind == "life":
        raise Abandoned(answer.refused)
    if answer.kind:
        raise SandboxError(answer.refused)
    return answer.value
