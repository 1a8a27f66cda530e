"""Measure: a grid of values and a yardstick -> ratios, AUP and draws, for both columns of one reading.

Takes arrays, gives arrays; the last row is always the baseline. Never formats anything, never decides who is ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from scoring.compat import compat_aup, compat_borda, compat_tau_max
from scoring.leaderboard import Column, Reading
from scoring.profiles import Bools, Floats, Scale, aup, best_of, cohort_scale, contributions, fixed_scale
from scoring.ranks import borda
from scoring.stats import DRAWS, best_of_resampled, mean_resampled, stream
from scoring.tables import Grid
from scoring.yardstick import Yardstick

COLUMNS: tuple[Column, ...] = ("best", "last")


@dataclass(frozen=True)
class Measured:
    """One column. Rows: the entries in the grid's order, then the baseline. No draws under mlgym-compat."""

    values: Floats  # (rows, tasks, seeds), in the tasks' own units
    scores: Floats  # (rows, tasks), best over the seeds
    log_ratios: Floats  # (rows, tasks)
    feasible: Bools  # (rows, tasks)
    parts: Floats  # (rows, tasks), contributions to AUP
    aup: Floats  # (rows,)
    mean_aup: Floats  # (rows,)
    borda: Floats  # (rows,)
    reference: Floats  # (tasks,), in the tasks' own units; NaN: nobody has a value
    draws: Floats | None  # (draws, rows)
    mean_draws: Floats | None  # (draws, rows)


def measure(grid: Grid, yard: Yardstick, reading: Reading) -> tuple[dict[Column, Measured], float]:
    """Both columns, and the tau_max that they share."""
    values = {column: _with_baseline(getattr(grid, column), yard) for column in COLUMNS}
    scales = {column: _scale(best_of(values[column], yard.maximise), yard, reading) for column in COLUMNS}
    tau_max = compat_tau_max(list(scales.values())) if yard.tau_max is None else yard.tau_max
    measured = {
        column: _column(values[column], scales[column], tau_max, yard, reading, grid.entries, column)
        for column in COLUMNS
    }
    return measured, tau_max


def _with_baseline(values: Floats, yard: Yardstick) -> Floats:
    row = np.array([np.nan if rule.baseline is None else rule.baseline for rule in yard.rules])
    return np.concatenate([values, np.broadcast_to(row[None, :, None], (1, *values.shape[1:]))])


def _scale(scores: Floats, yard: Yardstick, reading: Reading) -> Scale:
    """Of a cohort (..., rows, tasks), or frozen."""
    if reading == "season":
        if yard.tau_max is None:
            raise ValueError("the season reading needs a frozen tau_max")
        return fixed_scale(yard.reference, yard.baseline, yard.maximise, yard.eps, yard.tau_max)
    return cohort_scale(yard.transform(scores), yard.baseline, yard.maximise, yard.eps)


def _column(
    values: Floats,
    scale: Scale,
    tau_max: float,
    yard: Yardstick,
    reading: Reading,
    entries: Sequence[str],
    column: Column,
) -> Measured:
    scores = best_of(values, yard.maximise)
    log_ratios = np.atleast_2d(scale.log_ratios(yard.transform(scores)))
    by_seed = yard.transform(values.swapaxes(1, 2))
    parts_by_seed = contributions(scale.log_ratios(by_seed), tau_max)
    compat = reading == "mlgym-compat"
    return Measured(
        values=values,
        scores=scores,
        log_ratios=log_ratios,
        feasible=scale.feasible(yard.transform(scores)),
        parts=contributions(log_ratios, tau_max),
        aup=compat_aup(log_ratios, tau_max) if compat else aup(log_ratios, tau_max),
        mean_aup=parts_by_seed.mean(axis=1).sum(axis=1),
        borda=(compat_borda if compat else borda)(scores, yard.maximise),
        reference=_reference(scores, yard),
        draws=None if compat else _draws(values, scale, tau_max, yard, reading, entries, column),
        mean_draws=None if compat else _mean_draws(parts_by_seed, entries, column),
    )


def _reference(scores: Floats, yard: Yardstick) -> Floats:
    frozen = np.array([np.nan if rule.reference is None else rule.reference for rule in yard.rules])
    return np.where(np.isnan(frozen), best_of(scores.T[None], yard.maximise)[0], frozen)


def _draws(
    values: Floats,
    scale: Scale,
    tau_max: float,
    yard: Yardstick,
    reading: Reading,
    names: Sequence[str],
    column: Column,
) -> Floats:
    """AUP of every row in every draw; the baseline does not vary. Frozen scales need one entry's draws at a time."""
    drawn = (
        yard.transform(best_of_resampled(values[row], yard.maximise, stream("best-of-k", name, column)))
        for row, name in enumerate(names)
    )
    baseline = np.broadcast_to(yard.baseline, (DRAWS, values.shape[1]))
    if reading == "season":
        return np.stack([aup(scale.log_ratios(scores), tau_max) for scores in chain(drawn, [baseline])], axis=1)
    scores = np.stack([*drawn, baseline], axis=1)
    return aup(cohort_scale(scores, yard.baseline, yard.maximise, yard.eps).log_ratios(scores), tau_max)


def _mean_draws(parts: Floats, entries: Sequence[str], column: Column) -> Floats:
    """Mean AUP of one seed, resampled; parts (rows, seeds, tasks)."""
    drawn = [mean_resampled(parts[row].T, stream("mean-of-k", entry, column)) for row, entry in enumerate(entries)]
    return np.stack([*drawn, np.full(DRAWS, parts[-1].mean(axis=0).sum())], axis=1)
