"""Spread: how far a task's value moves when the same training is repeated, as it was measured.

Takes spreads.toml, gives one standard deviation a task and profile, or None where nobody has measured it. Outside the
tasks' own folders: a bundle names their digests, and a later measurement changes no task.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import Field

from harness.schema.base import Day, KebabId, Record
from harness.schema.task import ProfileName, TaskSpec


class Spread(Record):
    """The standard deviation of a metric over `n` repetitions of one honest training without a fixed seed."""

    task: KebabId
    profile: ProfileName
    metric: str
    sd: float = Field(gt=0)
    n: int = Field(gt=1)
    hardware: str
    date: Day
    source: str


class Spreads(Record):
    """The document spreads.toml."""

    spreads: tuple[Spread, ...] = ()


@cache
def _table() -> tuple[Spread, ...]:
    text = files("harness.replay").joinpath("spreads.toml").read_text(encoding="utf-8")
    return Spreads.from_toml(text, subject="spreads.toml").spreads


def training_sd(task: TaskSpec, profile: ProfileName, dataset: str | None) -> float | None:
    """Of the task's ranked metric; None: unmeasured, as on every other dataset than the task's own."""
    fits = (one for one in _table() if (one.task, one.profile, one.metric) == (task.id, profile, task.metric.name))
    return None if dataset else next((one.sd for one in fits), None)
