"""spending.jsonl: what a run has spent and may still spend, one file for all its episodes and processes.

Takes reservations (the most that a call can cost) before calls and settlements (what it did cost) after them, gives
EpisodeOver before a call that could pass a limit. A reservation that a killed process left counts as spent until its
episode's journal says otherwise. Every process locks the file for the moment of a line; it is only ever appended to.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from harness.errors import EpisodeOver, RunSpent
from harness.files import cut_torn_line
from harness.llm.holds import Holds
from harness.schema.base import Line, Record, Sha256, Timestamp
from harness.schema.episode import NonNegative

FILE = "spending.jsonl"
_ROUNDING_USD = 1e-9


class SpendingLine(Record):
    """One line. `id` is `<episode>#<number>`, the same in the reservation, the settlement and the journal."""

    kind: Literal["reserve", "settle"]
    id: Line
    usd: NonNegative
    time: Timestamp
    request_sha256: Sha256

    @property
    def episode(self) -> str:
        return self.id.rpartition("#")[0]

    @property
    def number(self) -> int:
        return int(self.id.rpartition("#")[2])


class Books(Protocol):
    """The spending and the rate limits of one run, wherever they are kept. Every process of the run reads and writes
    the same."""

    def spent_usd(self, episode: str | None = None) -> float:
        """Settled costs and open reservations, of one episode or of the run."""
        ...

    def left_open(self, episode: str) -> list[SpendingLine]:
        """Reservations of an episode without a settlement, oldest first."""
        ...

    def reserve(self, episode: str, usd: float, limit_usd: float, time: Timestamp, request_sha256: Sha256) -> str:
        """Set the most that a call can cost aside; gives the call's id. Raises EpisodeOver, RunSpent."""
        ...

    def settle(self, name: str, usd: float, time: Timestamp, request_sha256: Sha256) -> None:
        """Put what a call did cost in the place of its reservation. Settling again is nothing."""
        ...

    def hold(self, model: str, wait_s: float) -> None:
        """The provider wants no request to `model` for so many seconds, from nobody."""
        ...

    def held_s(self, model: str) -> float:
        """Seconds until `model` may be asked; 0: now."""
        ...


class Ledger:
    """Books in a file. `limit_usd` None: no limit for the run as a whole."""

    def __init__(self, folder: Path, limit_usd: float | None = None) -> None:
        self.limit_usd = limit_usd
        self._file = folder / FILE
        self._holds = Holds(folder)
        self._thread = threading.RLock()
        self._read = 0
        self._open: dict[str, SpendingLine] = {}
        self._settled: set[str] = set()
        self._spent: dict[str, float] = defaultdict(float)
        self._numbers: dict[str, int] = defaultdict(int)

    def spent_usd(self, episode: str | None = None) -> float:
        """Settled costs and open reservations, of one episode or of the run."""
        with self._locked():
            return self._total(episode)

    def left_open(self, episode: str) -> list[SpendingLine]:
        """Reservations of an episode without a settlement, oldest first."""
        with self._locked():
            return [line for line in self._open.values() if line.episode == episode]

    def reserve(self, episode: str, usd: float, limit_usd: float, time: Timestamp, request_sha256: Sha256) -> str:
        """Set the most that a call can cost aside; gives the call's id. On disk when this returns.

        Raises EpisodeOver("cost") when the episode's limit could be passed, RunSpent when the run's could.
        """
        with self._locked() as handle:
            self._demand(episode, usd, limit_usd)
            name = f"{episode}#{self._numbers[episode]}"
            self._append(
                handle, SpendingLine(kind="reserve", id=name, usd=usd, time=time, request_sha256=request_sha256)
            )
            os.fsync(handle.fileno())
            return name

    def settle(self, name: str, usd: float, time: Timestamp, request_sha256: Sha256) -> None:
        """Put what a call did cost in the place of its reservation; 0 when it was not paid. Settling again is nothing.

        Not flushed to disk: the journal is, and settles again what power loss took.
        """
        with self._locked() as handle:
            if name not in self._settled:
                self._append(
                    handle, SpendingLine(kind="settle", id=name, usd=usd, time=time, request_sha256=request_sha256)
                )

    def hold(self, model: str, wait_s: float) -> None:
        """See Books."""
        with self._thread:
            self._holds.hold(model, wait_s)

    def held_s(self, model: str) -> float:
        """See Books."""
        with self._thread:
            return self._holds.held_s(model)

    def _demand(self, episode: str, usd: float, limit_usd: float) -> None:
        for of, limit, spent in (
            ("episode", limit_usd, self._total(episode)),
            ("run", self.limit_usd, self._total(None)),
        ):
            if limit is not None and spent + usd > limit + _ROUNDING_USD:
                text = f"the next call can cost ${usd:.4f}; ${limit - spent:.4f} of the {of}'s ${limit:g} is left"
                raise RunSpent(text) if of == "run" else EpisodeOver("cost", text)

    def _total(self, episode: str | None) -> float:
        return sum(self._spent.values()) if episode is None else self._spent[episode]

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, locked against every other process and thread, with its lines read up to the end."""
        with self._thread, self._file.open("ab+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            cut_torn_line(handle)
            handle.seek(self._read)
            for line in handle.read().split(b"\n")[:-1]:
                self._count(SpendingLine.from_json(line, subject=self._file.name))
            self._read = handle.tell()
            yield handle

    def _append(self, handle: BinaryIO, line: SpendingLine) -> None:
        handle.write(json.dumps(line.model_dump(mode="json", exclude_none=True), sort_keys=True).encode() + b"\n")
        handle.flush()
        self._read = handle.tell()
        self._count(line)

    def _count(self, line: SpendingLine) -> None:
        self._numbers[line.episode] = max(self._numbers[line.episode], line.number + 1)
        if line.kind == "reserve":
            self._open[line.id] = line
            self._spent[line.episode] += line.usd
        elif line.id not in self._settled:
            reserved = self._open.pop(line.id, None)
            self._settled.add(line.id)
            self._spent[line.episode] += line.usd - (reserved.usd if reserved else 0.0)
