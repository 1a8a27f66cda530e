"""Event: one thing that a run did, when it began and how long it took; one line of a log.

Takes names, moments and short facts, gives a record. Moments come from a clock that only goes forward, set by the
wall clock once a process: a wall clock that jumps moves no event against another. Never holds what an agent wrote or
was shown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.schema.base import Record
from harness.schema.episode import NonNegative

EventName = Literal["run-begun", "run", "episode-begun", "episode", "step", "container", "model", "command", "grade"]
Fact = str | int | float | bool | None
Facts = dict[str, Fact]


def _moment(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Moment = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"),
    AfterValidator(_moment),
]
_SET = time.time() - time.monotonic()


class Event(Record):
    """`time` is when it began, UTC; `duration_s` None: a moment. `episode` is `<task>/seed-<n>`, empty for what the
    whole run did; `step` None: outside the agent's steps."""

    event: EventName
    time: Moment
    duration_s: NonNegative | None = None
    pid: int
    run: str = ""
    episode: str = ""
    step: int | None = None
    facts: Facts = {}

    @property
    def began_s(self) -> float:
        """Seconds since 1970."""
        return datetime.fromisoformat(self.time).timestamp()

    @property
    def ended_s(self) -> float:
        """Seconds since 1970."""
        return self.began_s + (self.duration_s or 0.0)


Tell = Callable[[Event], None]
Timed = Callable[..., AbstractContextManager[Facts]]
"""Around what is timed: its event's name and facts in, more facts may be put into what it gives."""


def moment(monotonic_s: float) -> str:
    """A moment of time.monotonic as an event writes it."""
    return datetime.fromtimestamp(_SET + monotonic_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event(
    name: EventName,
    began: float,
    ended: float | None,
    facts: Mapping[str, Fact],
    *,
    run: str = "",
    episode: str = "",
    step: int | None = None,
) -> Event:
    """An event of this process. `began` and `ended` are of time.monotonic; facts that are None are left out."""
    return Event(
        event=name,
        time=moment(began),
        duration_s=None if ended is None else round(max(0.0, ended - began), 6),
        pid=os.getpid(),
        run=run,
        episode=episode,
        step=step,
        facts={fact: value for fact, value in facts.items() if value is not None},
    )


@contextmanager
def untimed(name: EventName, **facts: Fact) -> Iterator[Facts]:
    """Nobody times it."""
    yield facts
