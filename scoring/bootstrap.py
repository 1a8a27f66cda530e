"""AUP of every row in every draw of the bootstrap, for both columns from the same bytes.

Takes what each seed is worth, best seed first, as arrays (rows, tasks, seeds, columns); gives Draws. With a frozen
scale (season) a seed's contribution is a constant, so a draw is a sum of looked-up numbers. With the cohort's own
scale (live) reference and penalty are found anew in every draw: once over all rows to find them, once more to measure.
Memory: the draws themselves, and a block of rows a thread. Never keeps a second copy of the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

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

    def lookups(block: slice) -> tuple[Floats, Floats]:
        return best_of_picks(parts[block]), mean_of_picks(parts[block])

    return _drawn(names, parts.shape, lookups, None)


def cohort_draws(names: Sequence[str], parts: Floats, cohort: Cohort) -> Draws:
    """Against the reference and the penalty that each draw of the whole cohort gives.

    The mean over seeds is measured on the cohort's undrawn scale, to which its `parts` belong.
    """
    best, worst = _extremes(names, cohort)
    with np.errstate(invalid="ignore"):
        spread = best - worst
    penalty = np.where(np.isfinite(spread), spread, 0.0) + cohort.penalty
    merit = np.where(cohort.feasible, cohort.merit, np.nan)

    def lookups(block: slice) -> tuple[Floats, Floats]:
        return best_of_picks(merit[block]), mean_of_picks(parts[block])

    def shares(drawn: Floats) -> Floats:
        areas = np.maximum(0.0, cohort.tau_max - _log_ratios(drawn, best[:, None], penalty[:, None]))
        return np.asarray(areas / drawn.shape[0])

    return _drawn(names, parts.shape, lookups, shares)


def _drawn(
    names: Sequence[str],
    shape: tuple[int, ...],
    lookups: Callable[[slice], tuple[Floats, Floats]],
    shares: Callable[[Floats], Floats] | None,
) -> Draws:
    """Draw every row: what its outcomes are worth, looked up and added up; `shares` makes parts of the best of picks.

    numpy adds along a first axis one after the other, in the order of the tasks.
    """
    rows, tasks, _, columns = shape
    aup, (low, high) = np.empty((columns, rows, DRAWS)), np.empty((2, 2, columns, rows))

    def work(block: slice) -> None:
        table = np.concatenate(lookups(block), axis=-1)
        buffer = np.empty((tasks, _TOGETHER, DRAWS, 2 * columns))
        for some, places in _places(names, block, tasks):
            at, count = slice(some.start - block.start, some.stop - block.start), some.stop - some.start
            drawn = _look_up(table[at], places, buffer[:, :count])
            if shares is not None:
                drawn[..., :columns] = shares(drawn[..., :columns])
            area = np.ascontiguousarray(np.moveaxis(drawn.sum(axis=0), -1, 0)).reshape(2, columns, count, DRAWS)
            aup[:, some] = area[0]
            low[:, :, some], high[:, :, some] = interval(area)

    in_blocks(work, rows, _ROWS)
    return Draws(aup, low, high)


def _places(names: Sequence[str], block: slice, tasks: int) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Some rows and where their draws lie in a table of (rows x tasks x 256): shape (tasks, rows, DRAWS), good until
    the next.

    Several at once: threads that call numpy for every row wait for each other's turn longer than they work.
    """
    starts = ((np.arange(_TOGETHER) * tasks)[None] + np.arange(tasks)[:, None])[..., None] * OUTCOMES
    picked = np.empty((tasks, _TOGETHER, DRAWS), dtype=np.uint8)
    places = np.empty((tasks, _TOGETHER, DRAWS), dtype=np.intp)
    for start in range(block.start, block.stop, _TOGETHER):
        some = slice(start, min(start + _TOGETHER, block.stop))
        for at, name in enumerate(names[some]):
            picked[:, at] = picks(name, tasks)
        count = some.stop - start
        yield some, np.add(picked[:, :count], starts[:, :count], out=places[:, :count])


def _look_up(table: Floats, places: NDArray[np.intp], drawn: Floats) -> Floats:
    """Draws (tasks, rows, DRAWS, columns) of a table (rows, tasks, 256, columns), written into `drawn`: new memory
    costs more."""
    return np.take(table.reshape(-1, table.shape[-1]), places, axis=0, out=drawn, mode="clip")


def _extremes(names: Sequence[str], cohort: Cohort) -> tuple[Floats, Floats]:
    """Merit of the best and of the worst feasible row in every draw, each (tasks, DRAWS, columns); infinite: nobody.

    A maximum is the same in whatever order the blocks come.
    """
    rows, tasks, _, columns = cohort.merit.shape
    best, worst = np.full((tasks, DRAWS, columns), -np.inf), np.full((tasks, DRAWS, columns), np.inf)
    lock = Lock()

    def work(block: slice) -> None:
        merit, feasible = cohort.merit[block], cohort.feasible[block]
        usable = best_of_picks(np.where(np.isnan(merit), -np.inf, merit))
        counted = best_of_picks(np.where(feasible & np.isfinite(merit), merit, np.inf))
        top, bottom = np.full_like(best, -np.inf), np.full_like(worst, np.inf)
        buffer = np.empty((tasks, _TOGETHER, DRAWS, columns))
        for some, places in _places(names, block, tasks):
            at, drawn = slice(some.start - block.start, some.stop - block.start), buffer[:, : some.stop - some.start]
            np.maximum(top, _look_up(usable[at], places, drawn).max(axis=1), out=top)
            np.minimum(bottom, _look_up(counted[at], places, drawn).min(axis=1), out=bottom)
        with lock:
            np.maximum(best, top, out=best)
            np.minimum(worst, bottom, out=worst)

    in_blocks(work, rows, _ROWS)
    return best, worst


def _log_ratios(merit: Floats, best: Floats, penalty: Floats) -> Floats:
    """log10 of the ratio to the best of each draw; equal is 0, even at both ends; the penalty where there is none."""
    with np.errstate(invalid="ignore"):
        logs = best - merit
    logs[best == merit] = 0.0
    return np.where(np.isfinite(logs), logs, penalty)
