"""Small grids and yardsticks, made from plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoring.measure import Measured, measure
from scoring.tables import Grid
from scoring.vocabulary import Column, Reading
from scoring.yardstick import TaskRule, Yardstick

NAN = np.nan
DOMAINS = ("data-science", "rl", "vision")


def rule(task: str, direction: str = "max", **more: Any) -> TaskRule:
    """A rule with baseline 1 and reference 2 (max) or 1/2 (min), unless told otherwise."""
    reference = 2.0 if direction == "max" else 0.5
    known = {"baseline": 1.0, "reference": reference, "domain": "rl", "title": task, "metric": "m"} | more
    return TaskRule.model_validate({"id": task, "direction": direction, "baseline_source": "test", **known})


def yard(*rules: TaskRule, tau_max: float | None = 0.5) -> Yardstick:
    return Yardstick(rules, 0.05, tau_max)


def grid(best: Any, last: Any = None, entries: tuple[str, ...] | None = None) -> Grid:
    """From (entries, tasks) one value for all four seeds, or (entries, tasks, 4)."""
    arrays = [np.array(values, dtype=np.float64) for values in (best, best if last is None else last)]
    full = [values if values.ndim == 3 else np.repeat(values[..., None], 4, axis=2) for values in arrays]
    return Grid(entries or tuple(f"entry-{i}" for i in range(full[0].shape[0])), full[0], full[1])


def measured(grid: Grid, yard: Yardstick, reading: Reading = "season", ranked: Any = None) -> dict[Column, Measured]:
    who = np.ones(len(grid.entries), dtype=bool) if ranked is None else np.array(ranked, dtype=bool)
    return measure(grid, yard, reading, who)[0]
