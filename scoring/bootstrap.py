"""AUP of every row in every draw of the bootstrap, for both columns from the same bytes.

Takes what each seed is worth, best seed first, as arrays (rows, tasks, seeds, columns); gives Draws. With a frozen scale
(season) a seed's contribution is a constant, so a draw is a sum of looked-up numbers. With the cohort's own scale (live)
reference and penalty are found anew in every draw: once over all rows to find them, once more to measure against them.
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

_ROWS = 32  # a block: large enough to keep a thread busy, small enough for its caches


@dataclass(frozen=True)
class Draws:
    """`aup` of shape (columns, rows, DRAWS): AUP of the best of four resampled seeds. None: there was no bootstrap.

    `low`, `high` of shape (2, columns, rows): the 95 % intervals of that AUP, and of the mean over four resampled seeds.
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
    worth = np.moveaxis(parts, 3, 2)

    def tables(block: slice) -> Floats:
        return np.concatenate([best_of_picks(worth[block]), mean_of_picks(worth[block])], axis=2)

    return _drawn(names, worth.shape, tables, lambda drawn: drawn.sum(axis=0).T)


def cohort_draws(names: Sequence[str], parts: Floats, cohort: Cohort) -> Draws:
    """Against the reference and the penalty that each draw of the whole cohort gives.

    The mean over seeds is measured on the cohort's undrawn scale, to which its `parts` belong.
    """
    worth = np.moveaxis(parts, 3, 2)
    merit = np.moveaxis(np.where(cohort.feasible, cohort.merit, np.nan), 3, 2)
    columns = worth.shape[2]
    best, worst = _extremes(names, cohort)
    with np.errstate(invalid="ignore"):
        spread = best - worst
    penalty = np.where(np.isfinite(spread), spread, 0.0) + cohort.penalty

    def tables(block: slice) -> Floats:
        return np.concatenate([best_of_picks(merit[block]), mean_of_picks(worth[block])], axis=2)

    def areas(drawn: Floats) -> Floats:
        logs = _log_ratios(drawn[..., :columns], best, penalty)
        shares = np.maximum(0.0, cohort.tau_max - logs) / logs.shape[0]
        return np.concatenate([shares.sum(axis=0).T, drawn[..., columns:].sum(axis=0).T])

    return _drawn(names, worth.shape, tables, areas)


def _drawn(
    names: Sequence[str],
    shape: tuple[int, ...],
    tables: Callable[[slice], Floats],
    areas: Callable[[Floats], Floats],
) -> Draws:
    """Draw every row: what its outcomes are worth, looked up, and made into areas (2 x columns, DRAWS).

    numpy adds along a first axis one after the other, in the order of the tasks.
    """
    rows, _, columns, _ = shape
    aup, (low, high) = np.empty((columns, rows, DRAWS)), np.empty((2, 2, columns, rows))

    def work(block: slice) -> None:
        for row, drawn in _looked_up(names, block, tables(block)):
            found = areas(drawn)
            aup[:, row] = found[:columns]
            ends = interval(found)
            low[:, :, row], high[:, :, row] = ends[0].reshape(2, columns), ends[1].reshape(2, columns)

    in_blocks(work, rows, _ROWS)
    return Draws(aup, low, high)


def _looked_up(names: Sequence[str], block: slice, tables: Floats) -> Iterator[tuple[int, Floats]]:
    """Each row and its draws of shape (tasks, DRAWS, quantities); `tables` (rows, tasks, quantities, 256)."""
    tasks, quantities = tables.shape[1:3]
    starts = (np.arange(tasks) * OUTCOMES)[:, None]
    places: NDArray[np.intp] = np.empty((tasks, DRAWS), dtype=np.intp)
    drawn = np.empty((tasks, DRAWS, quantities))
    flat = np.ascontiguousarray(np.swapaxes(tables, 2, 3)).reshape(-1, tasks * OUTCOMES, quantities)
    for row, table in enumerate(flat, start=block.start):
        np.add(picks(names[row], tasks), starts, out=places)
        np.take(table, places, axis=0, out=drawn, mode="clip")
        yield row, drawn


def _extremes(names: Sequence[str], cohort: Cohort) -> tuple[Floats, Floats]:
    """Merit of the best and of the worst feasible row in every draw, each (tasks, DRAWS, columns); infinite: nobody.

    A maximum is the same in whatever order the blocks come.
    """
    rows, tasks, _, columns = cohort.merit.shape
    best, worst = np.full((tasks, DRAWS, columns), -np.inf), np.full((tasks, DRAWS, columns), np.inf)
    lock = Lock()

    def work(block: slice) -> None:
        merit, feasible = (np.moveaxis(array[block], 3, 2) for array in (cohort.merit, cohort.feasible))
        usable = best_of_picks(np.where(np.isnan(merit), -np.inf, merit))
        counted = best_of_picks(np.where(feasible & np.isfinite(merit), merit, np.inf))
        top, bottom = np.full_like(best, -np.inf), np.full_like(worst, np.inf)
        for _, drawn in _looked_up(names, block, np.concatenate([usable, counted], axis=2)):
            np.maximum(top, drawn[..., :columns], out=top)
            np.minimum(bottom, drawn[..., columns:], out=bottom)
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
