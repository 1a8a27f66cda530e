"""AUP of every row in every draw of the bootstrap, for both columns from the same bytes.

Takes what each seed is worth, best seed first, as arrays (rows, tasks, seeds, columns); gives Draws. With a frozen
scale (season) a seed's contribution is a constant, so a draw is a sum of looked-up numbers. With the cohort's own
scale (live) reference and penalty are found anew in every draw: once over all rows to find them, once more to measure.
Memory: the draws themselves, and a block of rows a thread. Never keeps a second copy of the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock, local

import numpy as np

from scoring.profiles import Bools, Floats
from scoring.stats import DRAWS, OUTCOMES, best_of_picks, interval, mean_of_picks, picks
from scoring.threads import in_blocks

_ROWS = 32  # a block: large enough to keep a thread busy
_TOGETHER = 4  # rows that are drawn at once, small enough for a core's cache


@dataclass(frozen=True)
class Draws:
    """`aup` of shape (columns, rows, DRAWS): AUP of the best of four resampled seeds. None: there was no bootstrap.

    `low`, `high` of shape (2, columns, rows): 95 % intervals of that AUP, and of the mean over four resampled seeds.
    """

    aup: Floats | None
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Cohort:
    """What a draw of a whole cohort needs beside the parts. `merit`, `feasible`: (rows, tasks, seeds, columns).

    `merit`: log10 of the score where more is better, minus that where less is; NaN: no score, or a negative one.
    `feasible`: not worse than the baseline.
    """

    merit: Floats
    feasible: Bools
    tau_max: float
    penalty: float  # log10(1 + eps)


def no_draws(rows: int, columns: int) -> Draws:
    """Of a reading without a bootstrap: every end is NaN."""
    unknown = np.full((2, columns, rows), np.nan)
    return Draws(None, unknown, unknown)


def frozen_draws(names: Sequence[str], parts: Floats) -> Draws:
    """Against a frozen scale; `parts` of shape (rows, tasks, seeds, columns) are contributions to AUP."""
    return _drawn(names, parts, parts, None)


def cohort_draws(names: Sequence[str], parts: Floats, cohort: Cohort) -> Draws:
    """Against the reference and the penalty that each draw of the whole cohort gives.

    The mean over seeds is measured on the cohort's undrawn scale, to which its `parts` belong.
    """
    best, worst = _extremes(names, cohort)
    with np.errstate(invalid="ignore"):
        spread = best - worst
    penalty = np.where(np.isfinite(spread), spread, 0.0) + cohort.penalty
    merit = np.where(cohort.feasible, cohort.merit, np.nan)

    def share(drawn: Floats, column: int) -> None:
        logs = _log_ratios(drawn, best[:, None, :, column], penalty[:, None, :, column])
        np.divide(np.maximum(0.0, cohort.tau_max - logs), drawn.shape[0], out=drawn)

    return _drawn(names, merit, parts, share)


class _Desk:
    """One thread's memory for the rows that are drawn together, used again for every block: new pages cost as much as
    the work in them. `table` (rows, tasks, 256), `places` and `drawn` (tasks, rows, DRAWS), `area` (rows, DRAWS)."""

    def __init__(self, tasks: int) -> None:
        self.table = np.empty((_TOGETHER, tasks, OUTCOMES))
        self.places = np.empty((tasks, _TOGETHER, DRAWS), dtype=np.intp)
        self.drawn = np.empty((tasks, _TOGETHER, DRAWS))
        self.area = np.empty((_TOGETHER, DRAWS))
        rows, columns = np.arange(_TOGETHER)[None], np.arange(tasks)[:, None]
        self._starts = ((rows * tasks + columns) * OUTCOMES)[..., None]

    def pick(self, names: Sequence[str]) -> None:
        """Where the draws of these rows lie in `table`."""
        for at, name in enumerate(names):
            self.places[:, at] = picks(name, self.places.shape[0])
        self.places += self._starts

    def look_up(self, table: Floats) -> Floats:
        """What the draws are worth by a table of their rows, shape (tasks, rows, DRAWS); good until the next."""
        count = table.shape[0]
        places, drawn = self.places[:, :count], self.drawn[:, :count]
        return np.take(table.reshape(-1), places, out=drawn, mode="clip")


def _drawn(names: Sequence[str], best: Floats, mean: Floats, share: Callable[[Floats, int], None] | None) -> Draws:
    """Draw every row: what its outcomes are worth, looked up and added up. `best`, `mean`: what the best and the mean
    of the picks are taken of, both (rows, tasks, seeds, columns); `share` turns the best of picks into parts.

    numpy adds along a first axis one after the other, in the order of the tasks.
    """
    rows, tasks, _, columns = best.shape
    aup, ends, desks = np.empty((columns, rows, DRAWS)), np.empty((2, 2, columns, rows)), local()

    def work(block: slice) -> None:
        desk = _desk(desks, tasks)
        for some in _some(block):
            count = some.stop - some.start
            desk.pick(names[some])
            for column in range(columns):
                drawn = desk.look_up(best_of_picks(best[some, ..., column], desk.table[:count]))
                if share is not None:
                    share(drawn, column)
                aup[column, some] = np.sum(drawn, axis=0, out=desk.area[:count])
                ends[:, 0, column, some] = interval(desk.area[:count])
                drawn = desk.look_up(mean_of_picks(mean[some, ..., column], desk.table[:count]))
                ends[:, 1, column, some] = interval(np.sum(drawn, axis=0, out=desk.area[:count]))

    in_blocks(work, rows, _ROWS)
    return Draws(aup, ends[0], ends[1])


def _desk(desks: local, tasks: int) -> _Desk:
    """This thread's own."""
    if not hasattr(desks, "own"):
        desks.own = _Desk(tasks)
    own: _Desk = desks.own
    return own


def _some(block: slice) -> Iterator[slice]:
    """The rows of a block, several at once: threads that call numpy for every row wait for each other's turn longer
    than they work."""
    for start in range(block.start, block.stop, _TOGETHER):
        yield slice(start, min(start + _TOGETHER, block.stop))


def _extremes(names: Sequence[str], cohort: Cohort) -> tuple[Floats, Floats]:
    """Merit of the best and of the worst feasible row in every draw, each (tasks, DRAWS, columns); infinite: nobody.

    A maximum is the same in whatever order the blocks come.
    """
    rows, tasks, _, columns = cohort.merit.shape
    best, worst = np.full((tasks, DRAWS, columns), -np.inf), np.full((tasks, DRAWS, columns), np.inf)
    lock, desks = Lock(), local()

    def work(block: slice) -> None:
        desk, top, bottom = _desk(desks, tasks), np.full_like(best, -np.inf), np.full_like(worst, np.inf)
        for some in _some(block):
            table = desk.table[: some.stop - some.start]
            desk.pick(names[some])
            for column in range(columns):
                merit, feasible = cohort.merit[some, ..., column], cohort.feasible[some, ..., column]
                usable = best_of_picks(np.where(np.isnan(merit), -np.inf, merit), table)
                _keep(np.maximum, top[..., column], desk.look_up(usable).max(axis=1))
                counted = best_of_picks(np.where(feasible & np.isfinite(merit), merit, np.inf), table)
                _keep(np.minimum, bottom[..., column], desk.look_up(counted).min(axis=1))
        with lock:
            _keep(np.maximum, best, top)
            _keep(np.minimum, worst, bottom)

    in_blocks(work, rows, _ROWS)
    return best, worst


def _keep(extreme: np.ufunc, known: Floats, more: Floats) -> None:
    extreme(known, more, out=known)


def _log_ratios(merit: Floats, best: Floats, penalty: Floats) -> Floats:
    """log10 of the ratio to the best of each draw; equal is 0, even at both ends; the penalty where there is none."""
    with np.errstate(invalid="ignore"):
        logs = best - merit
    logs[best == merit] = 0.0
    return np.where(np.isfinite(logs), logs, penalty)
