"""Measure: a grid of values and a yardstick -> all that a ranking needs as arrays, for both columns of one reading.

Takes arrays, gives arrays; the last row is always the baseline. Works in the alphabetical order of the tasks, so that
no sum and no draw depends on the order in which they were given. Never formats anything, never decides who is ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.schema.vocabulary import Domain
from scoring.bootstrap import Cohort, Draws, cohort_draws, frozen_draws, no_draws
from scoring.compat import compat_aup, compat_borda, compat_tau_max
from scoring.profiles import Bools, Floats, Scale, best_of, cohort_scale, contributions, fixed_scale, total
from scoring.ranks import Ints, borda
from scoring.standings import by_domain, places
from scoring.stats import by_merit, mean_of_seeds
from scoring.tables import Grid
from scoring.vocabulary import BASELINE, Column, Reading
from scoring.yardstick import Yardstick

COLUMNS: tuple[Column, ...] = ("best", "last")


@dataclass(frozen=True)
class Measured:
    """One column. Rows: the entries in the grid's order, then the baseline.

    Ranks and groups are 0 for a row that is not ranked. Under mlgym-compat there is no bootstrap: the ends of the
    intervals are NaN, and 0 for ranks. An entry without any value still has numbers here, those of penalties.
    """

    values: Floats  # (rows, tasks, seeds), in the tasks' own units
    scores: Floats  # (rows, tasks), best over the seeds
    seed_mean: Floats  # (rows, tasks), over the seeds that have a value; NaN: none has
    seed_stderr: Floats  # (rows, tasks), of that mean; NaN with fewer than two values
    log_ratios: Floats  # (rows, tasks), the penalty where infeasible
    feasible: Bools  # (rows, tasks)
    parts: Floats  # (rows, tasks), contributions to AUP
    reference: Floats  # (tasks,), in the tasks' own units; NaN: nobody has a value
    aup: Floats  # (rows,)
    aup_low: Floats  # (rows,), of the best of resampled seeds: one-sided
    aup_high: Floats  # (rows,)
    mean_aup: Floats  # (rows,), mean over the seeds of the AUP of one seed alone
    mean_low: Floats  # (rows,)
    mean_high: Floats  # (rows,)
    borda: Floats  # (rows,)
    rank: Ints  # (rows,)
    rank_low: Ints  # (rows,)
    rank_high: Ints  # (rows,)
    tie_group: Ints  # (rows,)
    out_low: Ints  # (rows,), best rank when one task is left out
    out_high: Ints  # (rows,), worst
    domains: dict[Domain, Floats]  # each (rows,): AUP over the tasks of that domain alone


@dataclass(frozen=True)
class _Cells:
    """One column before anything is ranked; `parts_by_seed` (rows, tasks, seeds), best seed first."""

    values: Floats
    scores: Floats
    scale: Scale
    log_ratios: Floats
    parts_by_seed: Floats


def measure(
    grid: Grid, yard: Yardstick, reading: Reading, ranked: Bools, wanted: Sequence[Column] = COLUMNS
) -> tuple[dict[Column, Measured], float]:
    """The wanted columns, and the tau_max that both share. `ranked` of shape (entries,): who takes part in ranks.

    Raises ValueError when the season reading has no frozen tau_max.
    """
    order = np.argsort(np.array(yard.tasks, dtype=np.str_), kind="stable")
    yard = replace(yard, rules=tuple(yard.rules[task] for task in order))
    values = {column: _with_baseline(getattr(grid, column)[:, order], yard) for column in COLUMNS}
    scales = {column: _scale(best_of(values[column], yard.maximise), yard, reading) for column in COLUMNS}
    tau_max = compat_tau_max(list(scales.values())) if yard.tau_max is None else yard.tau_max
    back, found = np.argsort(order), dict[Column, Measured]()
    for column in wanted:  # not both together: draws are the largest thing in memory
        cells = _cells(values[column], scales[column], tau_max, yard)
        draws = _draws({column: cells}, grid, yard, reading, tau_max)
        found[column] = _in_order(_column(cells, draws, grid, yard, ranked, tau_max), back)
        del draws
    return found, tau_max


def _with_baseline(values: Floats, yard: Yardstick) -> Floats:
    row = np.array([np.nan if rule.baseline is None else rule.baseline for rule in yard.rules])
    return np.concatenate([values, np.broadcast_to(row[None, :, None], (1, *values.shape[1:]))])


def _scale(scores: Floats, yard: Yardstick, reading: Reading) -> Scale:
    """Of the cohort (rows, tasks), or frozen."""
    if reading == "season":
        if yard.tau_max is None:
            raise ValueError("the season reading needs a frozen tau_max")
        return fixed_scale(yard.reference, yard.baseline, yard.maximise, yard.eps, yard.tau_max)
    return cohort_scale(yard.transform(scores), yard.baseline, yard.maximise, yard.eps)


def _cells(values: Floats, scale: Scale, tau_max: float, yard: Yardstick) -> _Cells:
    scores = best_of(values, yard.maximise)
    by_seed = yard.transform(np.swapaxes(by_merit(values, yard.maximise), 1, 2))
    return _Cells(
        values=values,
        scores=scores,
        scale=scale,
        log_ratios=np.atleast_2d(scale.log_ratios(yard.transform(scores))),
        parts_by_seed=np.swapaxes(contributions(scale.log_ratios(by_seed), tau_max), 1, 2),
    )


def _draws(cells: Mapping[Column, _Cells], grid: Grid, yard: Yardstick, reading: Reading, tau_max: float) -> Draws:
    names = (*grid.entries, BASELINE)
    if reading == "mlgym-compat":
        return no_draws(len(names), len(cells))
    parts = np.stack([one.parts_by_seed for one in cells.values()], axis=3)
    if reading == "season":
        return frozen_draws(names, parts)
    return cohort_draws(names, parts, _cohort(cells, yard, tau_max))


def _cohort(cells: Mapping[Column, _Cells], yard: Yardstick, tau_max: float) -> Cohort:
    ordered = np.stack([by_merit(one.values, yard.maximise) for one in cells.values()], axis=3)
    scores = yard.transform(np.moveaxis(ordered, 1, 3))
    worse = np.where(yard.maximise, scores < yard.baseline, scores > yard.baseline)
    with np.errstate(all="ignore"):
        logs = np.where(scores >= 0, np.log10(scores), np.nan)
    merit = np.where(yard.maximise, logs, -logs)
    penalty = float(np.log10(1 + yard.eps))
    return Cohort(np.moveaxis(merit, 3, 1), np.moveaxis(~worse, 3, 1), tau_max, penalty)


def _column(cells: _Cells, draws: Draws, grid: Grid, yard: Yardstick, ranked: Bools, tau_max: float) -> Measured:
    compat = draws.aup is None
    parts = contributions(cells.log_ratios, tau_max)
    area = compat_aup(cells.log_ratios, tau_max) if compat else total(parts)
    seed_mean, seed_stderr = _mean_and_error(cells.values)
    found = places(grid.entries, ranked, area, parts, None if draws.aup is None else draws.aup[0])
    return Measured(
        values=cells.values,
        scores=cells.scores,
        seed_mean=seed_mean,
        seed_stderr=seed_stderr,
        log_ratios=cells.log_ratios,
        feasible=cells.scale.feasible(yard.transform(cells.scores)),
        parts=parts,
        reference=_reference(cells.scores, yard),
        aup=area,
        aup_low=draws.low[0, 0],
        aup_high=draws.high[0, 0],
        mean_aup=total(mean_of_seeds(cells.parts_by_seed)),
        mean_low=draws.low[1, 0],
        mean_high=draws.high[1, 0],
        borda=(compat_borda if compat else borda)(cells.scores, yard.maximise),
        domains=by_domain(cells.log_ratios, tau_max, [rule.domain for rule in yard.rules]),
        **vars(found),
    )


def _reference(scores: Floats, yard: Yardstick) -> Floats:
    frozen = np.array([np.nan if rule.reference is None else rule.reference for rule in yard.rules])
    return np.where(np.isnan(frozen), best_of(scores.T[None], yard.maximise)[0], frozen)


def _mean_and_error(values: Floats) -> tuple[Floats, Floats]:
    """Over the seeds that have a value: the mean, and its standard error from the sample's deviation."""
    known = ~np.isnan(values)
    count = known.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total(np.where(known, values, 0.0)) / count
        squares = total(np.where(known, (values - mean[..., None]) ** 2, 0.0))
        return mean, np.sqrt(squares / (count - 1)) / np.sqrt(count)


_PER_TASK = ("values", "scores", "seed_mean", "seed_stderr", "log_ratios", "feasible", "parts")


def _in_order(measured: Measured, back: NDArray[np.intp]) -> Measured:
    """The same with its tasks in the order in which they were given."""
    moved = {name: getattr(measured, name)[:, back] for name in _PER_TASK}
    return replace(measured, reference=measured.reference[back], **moved)
