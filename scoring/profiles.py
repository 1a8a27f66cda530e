"""Performance ratios, profile curves and AUP: pure functions on arrays.

Takes scores of shape (..., tasks), gives log10 ratios, areas and exact step curves. Never reads a file, never draws a
random number, never uses quadrature. Sources: Dolan and More 2002 (performance profiles), AutoML Decathlon 2022 (AUP),
arXiv 2502.14499. Missing scores are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scale:
    """What scores are measured against, per task; every array has shape (..., tasks).

    `baseline` NaN: there is none, and nothing is worse than it. `penalty`: log10 ratio of whoever is infeasible.
    """

    maximise: Bools
    reference: Floats
    baseline: Floats
    penalty: Floats

    def feasible(self, scores: Floats) -> Bools:
        """Has a ratio, and is not worse than the baseline."""
        worse = np.where(self.maximise, scores < self.baseline, scores > self.baseline)
        return np.isfinite(raw_log_ratios(scores, self.reference, self.maximise)) & ~worse

    def log_ratios(self, scores: Floats) -> Floats:
        """log10 of the performance ratio; the penalty where infeasible. Below 0: better than the reference."""
        raw = raw_log_ratios(scores, self.reference, self.maximise)
        return np.where(self.feasible(scores), raw, self.penalty)


def raw_log_ratios(scores: Floats, reference: Floats, maximise: Bools) -> Floats:
    """log10(reference / score) to maximise, log10(score / reference) to minimise; NaN unless both are positive.

    A score equal to its reference has ratio 1 even where both are 0.
    """
    with np.errstate(all="ignore"):
        ratio = np.where(maximise, reference / scores, scores / reference)
        valid = (scores > 0) & (reference > 0)
        logs = np.where(valid, np.log10(ratio), np.nan)
    return np.where((scores == 0) & (reference == 0), 0.0, logs)


def cohort_scale(scores: Floats, baseline: Floats, maximise: Bools, eps: float) -> Scale:
    """The scale of a cohort of shape (..., methods, tasks), the baseline among the methods where it has a value.

    The reference is the best score; the penalty is (1 + eps) times the worst feasible ratio. That ratio is the
    baseline's whenever the baseline is feasible (the paper's rule), and is still defined where it is not.
    No feasible method on a task: the penalty is 1 + eps.
    """
    usable = np.where(scores >= 0, scores, np.nan)
    best = np.where(maximise, _reduce(usable, largest=True), _reduce(usable, largest=False))
    bare = Scale(maximise, best, baseline, np.zeros_like(best))
    raw = raw_log_ratios(scores, best, maximise)
    worst = _reduce(np.where(bare.feasible(scores), raw, np.nan), largest=True)
    return Scale(maximise, best, baseline, np.where(np.isnan(worst), 0.0, worst) + np.log10(1 + eps))


def fixed_scale(reference: Floats, baseline: Floats, maximise: Bools, eps: float, tau_max: float) -> Scale:
    """A scale of frozen constants, shape (tasks,). Without a baseline the penalty is tau_max: the task counts 0."""
    penalty = raw_log_ratios(baseline, reference, maximise) + np.log10(1 + eps)
    return Scale(maximise, reference, baseline, np.where(np.isnan(penalty), tau_max, penalty))


def contributions(log_ratios: Floats, tau_max: float) -> Floats:
    """Each task's share of AUP, shape (..., tasks): max(0, tau_max - log10 r) / tasks."""
    return np.asarray(np.maximum(0.0, tau_max - log_ratios) / log_ratios.shape[-1])


def aup(log_ratios: Floats, tau_max: float) -> Floats:
    """Exact area under the performance profile from 0 to tau_max; more than tau_max where a reference is beaten."""
    return total(contributions(log_ratios, tau_max))


def total(parts: Floats) -> Floats:
    """Sum over the last axis, one after the other: numpy's own order depends on the shape."""
    area = np.zeros(parts.shape[:-1])
    for task in range(parts.shape[-1]):
        area += parts[..., task]
    return area


def step_curves(log_ratios: Floats, tau_max: float) -> tuple[NDArray[np.intp], Floats, Floats]:
    """(row, tau, rho) of log_ratios (rows, tasks): from tau[i] on the share of the tasks of row[i] within it is rho[i].

    Each row begins at 0, or below where it beats a reference, and ends at tau_max; no tau of a row comes twice.
    """
    rows, tasks = log_ratios.shape
    within = log_ratios <= tau_max
    inside = np.sort(np.where(within, log_ratios, np.inf), axis=1)
    start = np.minimum(0.0, inside.min(axis=1, initial=0.0))
    tau = np.column_stack([start, np.minimum(inside, tau_max), np.full(rows, tau_max)])
    reached = np.minimum(np.arange(tasks + 2), within.sum(axis=1, keepdims=True))
    kept = np.column_stack([tau[:, :-1] < tau[:, 1:], np.ones(rows, dtype=bool)])
    row, place = np.nonzero(kept)
    return row, tau[row, place], reached[row, place] / tasks


def best_of(values: Floats, maximise: Bools) -> Floats:
    """Best over the last axis (seeds) of (..., tasks, seeds); NaN where no seed has a value."""
    swapped = np.moveaxis(values, -1, -2)
    best = np.where(maximise, _reduce(swapped, largest=True), _reduce(swapped, largest=False))
    return np.asarray(best[..., 0, :])


def _reduce(values: Floats, *, largest: bool) -> Floats:
    """Best over axis -2, kept; NaN only where everything is NaN."""
    fill = -np.inf if largest else np.inf
    filled = np.where(np.isnan(values), fill, values)
    best = filled.max(axis=-2, keepdims=True) if largest else filled.min(axis=-2, keepdims=True)
    return np.asarray(np.where(np.isinf(best), np.nan, best))
