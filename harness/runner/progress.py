"""What a run says while it goes. Takes nothing, gives the record that the runner fills; never prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One episode at this moment. `score`: the best validation value so far; `cost_usd` None: no model."""

    key: str
    doing: str
    steps: int
    steps_limit: int
    elapsed_s: float
    wall_time_s: float
    score: float | None
    cost_usd: float | None


Watch = Callable[[Progress], None]

Rest = Callable[[], None]
"""Called between two steps, all of them on disk; raises Abandoned when the episode shall end here, unfinished."""


def unwatched(progress: Progress) -> None:
    """Nobody looks."""


def never() -> None:
    """The episode goes on."""
