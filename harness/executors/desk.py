"""The desk: the one place of a run that is on many machines, beside the run's folder.

Takes what workers tell and send, gives them the spending ledger and the begun halves of episodes, and the driver the
news and the run's log. Each begin of an episode, which takes the card that its worker alone was given, is a new life of
it with a number that nobody guesses: what an earlier life or another episode's worker sends is refused. Holds the lock
of every episode that is played out of the folder's sight. Answers with values, never with exceptions: those would lose
their type on the way.
"""

from __future__ import annotations

import resource
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from harness.errors import EpisodeOver, GymboardError, RunSpent, in_words
from harness.executors.copies import LAST, TOLD, Change, apply, files, packed, unpack
from harness.executors.retold import Retold
from harness.executors.said import News
from harness.llm.spending import Ledger
from harness.runner.locks import episode_lock
from harness.runner.manifest import FILE as RUN
from harness.runner.progress import Progress
from harness.runner.recorder import goes_on

Question = Literal["spent_usd", "left_open", "reserve", "settle", "hold", "held_s"]
"""What the ledger can be asked."""
Order = Literal["play", "finish", "end"]


@dataclass(frozen=True)
class Begun:
    """A life of an episode. `half`: what earlier lives left for it to go on from; `done`: nothing is left to do."""

    life: int
    manifest: bytes
    half: bytes | None = None
    done: bytes | None = None


@dataclass(frozen=True)
class Answer:
    """What the desk says. `refused`: why not, and of what kind it is."""

    value: Any = None
    refused: str = ""
    kind: Literal["", "life", "episode", "run", "error"] = ""


class Desk:
    """The desk of one run that tells of itself in `log`; `cards`: each due episode's key and card. Safe across threads:
    one episode's messages wait for each other, not for another's."""

    def __init__(self, run: Path, limit_usd: float | None, log: Path, cards: Mapping[str, str]) -> None:
        self._cards = dict(cards)
        self._run, self._ledger, self._retold = run, Ledger(run, limit_usd), Retold(run, log)
        self._far: dict[str, ExitStack] = {}
        _open_as_many_files_as_allowed()
        self._lives: dict[str, int] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._news: dict[str, list[Progress]] = {}
        self._order: Order = "play"

    def begin(self, key: str, card: str) -> Answer:
        """A new life of an episode out of the folder's sight, as Begun; every earlier one is over."""
        if (refused := self._stranger(key, card)) is not None:
            return refused
        with self._of(key):
            life = self._next_life(key)
            return _answered(lambda: self._begun(key, life))

    def near(self, key: str, card: str) -> Answer:
        """A new life of an episode in the run's own folder, whose files and lock are not the desk's; every earlier one
        is over."""
        if (refused := self._stranger(key, card)) is not None:
            return refused
        with self._of(key):
            self._next_life(key)
            self._free(key)
            return Answer()

    def put(self, key: str, life: int, changes: Sequence[Change]) -> Answer:
        """Write lines and files of an unfinished episode; on disk when this answers."""

        def write() -> None:
            for change in changes:
                apply(self._run / key, change)
            self._retold.tell(key)

        return self._as(key, life, write)

    def finish(self, key: str, life: int, archive: bytes) -> Answer:
        """Write what is left of an episode; it is finished when episode.json is in there."""

        def write() -> None:
            unpack(archive, self._run / key)
            self._retold.tell(key)
            self._free(key)

        return self._as(key, life, write)

    def spending(self, key: str, life: int, ask: Question, *words: Any) -> Answer:
        """A question to the ledger, by an episode that lives, about what is its own."""
        if ask not in get_args(Question) or _of_another(key, ask, words):
            return Answer(refused=f"{key} may not ask {str(ask)[:40]!r} so: its own spending alone", kind="error")
        return self._as(key, life, lambda: getattr(self._ledger, ask)(*words))

    def told(self, progress: Progress, card: str) -> Answer:
        """Take a worker's news of its episode."""
        try:
            news = News.model_validate(vars(progress)).progress()
        except (ValidationError, TypeError):
            return Answer(refused="that is no news of an episode", kind="error")
        if (refused := self._stranger(news.key, card)) is not None:
            return refused
        with self._lock:
            self._news.setdefault(news.key, []).append(news)
        return Answer()

    def news(self) -> list[Progress]:
        """What was told since the last call, an episode's in order."""
        with self._lock:
            told, self._news = self._news, {}
        return [one for of in told.values() for one in of]

    def order(self, order: Order) -> None:
        """From now on: to finish the step and begin nothing, or to end at once."""
        self._order = order

    def orders(self) -> Order:
        """What workers are to do."""
        return self._order

    def _begun(self, key: str, life: int) -> Begun:
        folder, manifest = self._run / key, (self._run / RUN).read_bytes()
        if key not in self._far:
            with ExitStack() as opened:
                opened.enter_context(episode_lock(self._run, key))
                self._far[key] = opened.pop_all()
        if (folder / LAST).is_file():
            self._free(key)
            return Begun(life, manifest, done=(folder / LAST).read_bytes())
        wanted = () if goes_on(folder) else TOLD
        half = {name: file for name, file in files(folder) if not wanted or name in wanted}
        self._retold.begin(key)
        return Begun(life, manifest, packed(half) if half else None)

    def _next_life(self, key: str) -> int:
        self._lives[key] = secrets.randbits(63)
        return self._lives[key]

    def _stranger(self, key: str, card: str) -> Answer | None:
        """A refusal of who has no card of this episode; None: he has."""
        mine = self._cards.get(key) if isinstance(key, str) else None
        if mine is not None and isinstance(card, str) and secrets.compare_digest(mine.encode(), card.encode()):
            return None
        return Answer(refused="that is not the episode that this worker was given", kind="error")

    def _free(self, key: str) -> None:
        if lock := self._far.pop(key, None):
            lock.close()

    def _of(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def _as(self, key: str, life: int, act: Callable[[], Any]) -> Answer:
        if key not in self._lives:
            return Answer(refused="that is no episode that was begun", kind="error")
        with self._of(key):
            if life != self._lives[key]:
                return Answer(refused=f"{key} was begun again elsewhere: this worker had been given up", kind="life")
            return _answered(act)


def _open_as_many_files_as_allowed() -> None:
    """One for the lock of each episode: a thousand are more than many systems give at first."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS has a lower limit than the one that it names
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _answered(act: Callable[[], Any]) -> Answer:
    try:
        return Answer(act())
    except EpisodeOver as over:
        return Answer(refused=str(over), kind="run" if isinstance(over, RunSpent) else "episode")
    except (GymboardError, OSError) as error:
        return Answer(refused=in_words(error), kind="error")


def _of_another(key: str, ask: Question, words: Sequence[Any]) -> bool:
    """Whether a question is about an episode that `key` is not."""
    if ask == "settle":
        return str(words[0]).rpartition("#")[0] != key
    return ask in ("left_open", "reserve") and words[0] != key
