"""One task at a glance: every seed's final score as a dot on one scale, the baseline as a line across.

Takes a Board and a task's place in it, gives positions in percent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import quantiles
from typing import NamedTuple

from scoring.cells import last_values
from scoring.leaderboard import Board, Row
from scoring.publish.tops import shown

BINS = 60


class Dots(NamedTuple):
    """One agent's seeds. `best` is the dot that the table shows."""

    row: Row
    seeds: tuple[float, ...]
    best: float | None


class DotStrip(NamedTuple):
    """`low` and `high` are the values at 0 and 100 percent; `baseline` is a position. `spread`: when not every entry
    has a row of its own, a path in a box of 60 by 20, as high as many entries have their value there."""

    low: float
    high: float
    baseline: float | None
    baseline_value: float | None
    higher_is_better: bool
    rows: tuple[Dots, ...]
    entries: int
    spread: str


def dot_strip(board: Board, position: int) -> DotStrip | None:
    """The strip of the task at `position`: rows for those in its table, the spread of everybody on a large board; None
    when nobody has a value."""
    task = board.tasks[position]
    rows = [row for row in shown(board, position) if row.kind == "entry"]
    scores = [row.cells[position].last for row in rows]
    values = [seed for score in scores for seed in score.seeds if seed is not None]
    if not values:
        return None
    everybody = last_values([row for row in board.rows if row.kind == "entry"], position)
    known = [value for value in everybody if value is not None]
    if len(rows) < len(known):
        values += quantiles(known, n=20)  # some fail by orders of magnitude: their tail is not drawn
    ends = [*values, *([task.baseline] if task.baseline is not None else [])]
    low, high = min(ends), max(ends)

    def percent(value: float | None) -> float | None:
        return None if value is None else round(100 * (value - low) / ((high - low) or 1.0), 2)

    dots = tuple(
        Dots(row, tuple(at for seed in score.seeds if (at := percent(seed)) is not None), percent(score.value))
        for row, score in zip(rows, scores, strict=True)
    )
    spread = _spread(known, low, high) if len(rows) < len(known) else ""
    return DotStrip(low, high, percent(task.baseline), task.baseline, task.direction == "max", dots, len(known), spread)


def _spread(values: Sequence[float], low: float, high: float) -> str:
    bins = Counter(
        min(BINS - 1, int(BINS * (value - low) / ((high - low) or 1.0))) for value in values if low <= value <= high
    )
    top = max(bins.values(), default=1)
    return "".join(f"M{at} 20v-{20 * many / top:.1f}h.9V20z" for at, many in sorted(bins.items()))
