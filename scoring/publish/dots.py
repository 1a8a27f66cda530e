"""One task at a glance: every seed's final score as a dot on one scale, the baseline as a line across.

Takes a Board and a task's place in it, gives positions in percent.
"""

from __future__ import annotations

from typing import NamedTuple

from scoring.leaderboard import Board, Row

MAX_ROWS = 20


class Dots(NamedTuple):
    """One agent's seeds. `best` is the dot that the table shows."""

    row: Row
    seeds: tuple[float, ...]
    best: float | None


class DotStrip(NamedTuple):
    """`low` and `high` are the values at 0 and 100 percent; `baseline` is a position."""

    low: float
    high: float
    baseline: float | None
    baseline_value: float | None
    higher_is_better: bool
    rows: tuple[Dots, ...]


def dot_strip(board: Board, position: int) -> DotStrip | None:
    """The strip of the leading entries on the task at `position`; None when nobody has a value."""
    task = board.tasks[position]
    rows = [row for row in board.rows if row.kind == "entry"][:MAX_ROWS]
    scores = [row.cells[position].last for row in rows]
    values = [seed for score in scores for seed in score.seeds if seed is not None]
    if not values:
        return None
    ends = [*values, *([task.baseline] if task.baseline is not None else [])]
    low, high = min(ends), max(ends)

    def percent(value: float | None) -> float | None:
        return None if value is None else round(100 * (value - low) / ((high - low) or 1.0), 2)

    dots = tuple(
        Dots(row, tuple(at for seed in score.seeds if (at := percent(seed)) is not None), percent(score.value))
        for row, score in zip(rows, scores, strict=True)
    )
    return DotStrip(low, high, percent(task.baseline), task.baseline, task.direction == "max", dots)
