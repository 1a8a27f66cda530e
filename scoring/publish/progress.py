"""One task, step by step: the best value that the leading agents had been told of by each step.

Takes a Board, a task's place in it and what was told; gives paths in a box of 100 by 100 and their words. A line is the
median over the seeds that had a value by then. Never interpolates: between two values a line is flat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from scoring.conduct import Told
from scoring.leaderboard import Board, BoardTask
from scoring.publish.findings import WIDTH
from scoring.publish.formats import number
from scoring.publish.series import short
from scoring.publish.strokes import DASHES, LEADERS
from scoring.publish.tops import LINES, leading

Seeds = Mapping[int, Sequence[tuple[int, float]]]


class Line(NamedTuple):
    """One agent's line: style class, dashes, name, path, first step and last value. `start`: where the path begins."""

    style: str
    dashes: str
    label: str
    path: str
    first: int
    last: float

    @property
    def start(self) -> str:
        return self.path.partition("H")[0]


class Progress(NamedTuple):
    """The drawing. `low` and `high`: values at its lower and upper edge; `baseline`: its height, None outside it."""

    title: str
    alt: str
    low: float
    high: float
    steps: int
    baseline: float | None
    lines: tuple[Line, ...]


def progress(board: Board, place: int, told: Told) -> Progress | None:
    """None when nobody shown was told anything twice: one value has no course."""
    task = board.tasks[place]
    seeds = told.get(task.id, {})
    found = [
        (short(row.label, WIDTH), best_so_far(seeds.get(row.id, {}), task)) for row in leading(board, place, LINES)
    ]
    curves = [(label, curve) for label, curve in found if curve]
    if all(len(curve) < 2 for _, curve in curves):
        return None
    values = [value for _, curve in curves for _, value in curve]
    ends = [*values, *([task.baseline] if task.baseline is not None else [])]
    low, high, steps = min(ends), max(ends), max(curve[-1][0] for _, curve in curves)
    size = (high - low) or 1.0

    def height(value: float) -> float:
        return round(100 - 100 * (value - low) / size, 1)

    lines = tuple(
        Line(style, " ".join(map(str, DASHES[style])), label, _path(curve, steps, height), curve[0][0], curve[-1][1])
        for style, (label, curve) in zip(LEADERS, curves, strict=False)
    )
    baseline = None if task.baseline is None else height(task.baseline)
    return Progress(_title(lines, task), _alt(lines), low, high, steps, baseline, lines)


def best_so_far(seeds: Seeds, task: BoardTask) -> list[tuple[int, float]]:
    """(step, median over the seeds of the best value told by then), at every step at which it may change."""
    better = max if task.direction == "max" else min
    found = []
    for step in sorted({step for curve in seeds.values() for step, _ in curve}):
        so_far = [[value for at, value in curve if at <= step] for curve in seeds.values()]
        found.append((step, median(better(values) for values in so_far if values)))
    return found


def _path(curve: Sequence[tuple[int, float]], steps: int, height: Callable[[float], float]) -> str:
    points = [(round(100 * step / steps, 1), height(value)) for step, value in curve]
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for (_, before), (across, after) in pairwise(points):
        path += f"H{across:g}" + (f"V{after:g}" if after != before else "")
    return f"{path}H100"


def _title(lines: Sequence[Line], task: BoardTask) -> str:
    best = (max if task.direction == "max" else min)(line.last for line in lines)
    names = [line.label for line in lines if line.last == best]
    return f"{' and '.join(names[:2])} ended best by what validate told: {number(best)}"


def _alt(lines: Sequence[Line]) -> str:
    parts = [f"{line.label} first at step {line.first}, at the end {number(line.last)}" for line in lines]
    return f"Best value told so far, median over the seeds: {'; '.join(parts)}."
