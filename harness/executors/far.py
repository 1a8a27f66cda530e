"""A worker of a cluster: one episode of a run that was begun on another machine.

Takes the run's words, a key with its card and a way to the desk, plays it in the run's folder where that is one with
the driver's, else in a folder of its own, gives how it ended. Hears the desk meanwhile: told to end, or left without a
desk, it ends with its containers. Never raises for what is wrong with this machine: it says so.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import Abandoned, GymboardError, in_words
from harness.executors.away import AskDesk, away, value_of
from harness.executors.stamp import Stamp, faults_of
from harness.executors.words import RunWords
from harness.executors.work import work
from harness.runner.progress import Progress
from harness.runner.run import Ended

HEAR_S = 1.0
_fit: set[str] = set()
"""The runs that this process found nothing wrong with, by their nonces."""


@dataclass(frozen=True)
class Errand:
    """What every worker of a run is told. `nonce`: a file in the run's folder, and what it says."""

    words: RunWords
    stamp: Stamp
    nonce: tuple[Path, str]


@dataclass(frozen=True)
class Given:
    """What one worker of a run is told beside: its episode, and the card by which the desk knows that it is."""

    key: str
    card: str


@dataclass(frozen=True)
class Outcome:
    """How an episode ended: with an episode.json in the run's folder, as a failure, or not (the run was ended)."""

    status: Literal["done", "failed", "ended"]
    text: str = ""


def play(errand: Errand, given: Given, ask: AskDesk, devices: Sequence[str] = ()) -> Outcome:
    """The given episode to its end. In the process's main thread."""
    stop = threading.Event()
    try:
        with _hearing(ask, stop):
            if stop.is_set():
                return Outcome("ended")
            if faults := _faults(errand):
                return Outcome("failed", f"{'; '.join(faults)}")
            ended = (_shared if sees(errand.nonce) else _away)(errand.words, given, ask, stop, devices)
    except (Abandoned, KeyboardInterrupt):
        return Outcome("ended")
    except (GymboardError, OSError) as error:
        return Outcome("failed", in_words(error))
    if ended is None:
        return Outcome("ended")
    return Outcome("done") if ended.episode else Outcome("failed", ended.failure)


def sees(nonce: tuple[Path, str]) -> bool:
    """Whether the driver's run folder is here the very same one."""
    file, text = nonce
    try:
        return file.read_text(encoding="ascii") == text
    except (OSError, ValueError):
        return False


@contextmanager
def _hearing(ask: AskDesk, stop: threading.Event) -> Iterator[None]:
    """Set `stop` when the desk wants every episode to end after its step; interrupt this thread, once, when it wants
    them to end at once or when there is no desk any more."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    over, listener = threading.Event(), threading.get_ident()

    def orders() -> str:
        try:
            return str(ask("orders"))
        except Exception:
            return "end"

    def hear() -> None:
        while not over.wait(HEAR_S):
            order = orders()
            if order != "play":
                stop.set()
            if order == "end" and not over.is_set():
                signal.pthread_kill(listener, signal.SIGINT)
                return

    if orders() != "play":
        stop.set()
    thread = threading.Thread(target=hear, name="gymboard-orders", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _faults(errand: Errand) -> list[str]:
    """A node may have come after the driver has looked at all of them."""
    if errand.nonce[1] in _fit:
        return []
    faults = faults_of(errand.words, errand.stamp)
    if not faults:
        _fit.add(errand.nonce[1])
    return faults


def _shared(words: RunWords, given: Given, ask: AskDesk, stop: threading.Event, devices: Sequence[str]) -> Ended | None:
    value_of(ask("near", given.key, given.card))
    return work(words, given.key, lambda told: ask("told", told, given.card), stop=stop, devices=devices)


def _away(words: RunWords, given: Given, ask: AskDesk, stop: threading.Event, devices: Sequence[str]) -> Ended | None:
    with away(ask, given.key, given.card) as here:
        mine = words.model_copy(update={"folder": here.folder, "log": None})
        kept = here.kept if words.model.name else here.told

        def watch(told: Progress) -> None:
            ask("told", told, given.card)

        return work(mine, given.key, watch, stop=stop, books=here.books, devices=devices, kept=kept)
