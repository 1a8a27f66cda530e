"""MLGym's own arithmetic, so that its published tables come out to the third decimal.

Takes cohort ratios, gives upstream's tau_max, its left Riemann sum over 500 taus and its Borda points. Used by the
reading mlgym-compat alone. Written anew from the described behaviour; contains no upstream code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scoring.profiles import Bools, Floats, Scale

EPS = 0.05
POINTS = 500


def compat_tau_max(scales: Sequence[Scale]) -> float:
    """One tau_max for all columns: log10 of the largest ceil(1.05 x worst feasible ratio), rounded up to a tenth."""
    worst = max(math.ceil(round(10 ** float(scale.penalty.max()), 12)) for scale in scales)
    return math.ceil(10 * math.log10(worst)) / 10


def compat_aup(log_ratios: Floats, tau_max: float) -> Floats:
    """Left Riemann sum of rho over 500 equally spaced taus, the last one excluded; shape (methods,)."""
    taus = np.linspace(0.0, tau_max, POINTS)
    rho = (log_ratios[:, None, :] <= taus[None, :, None]).mean(axis=2)
    return np.asarray(rho[:, :-1].sum(axis=1) * (taus[1] - taus[0]))


def compat_borda(scores: Floats, maximise: Bools) -> Floats:
    """n, n-1, ... points by sorted position, summed over tasks; equal scores keep the order of the rows.

    Methods without a score come last, in the order of the rows: upstream's order there depends on a hash seed.
    """
    count, tasks = scores.shape
    points = np.zeros(count)
    for task in range(tasks):
        goodness = np.where(maximise[task], scores[:, task], -scores[:, task])
        order = np.argsort(-np.where(np.isnan(goodness), -np.inf, goodness), kind="stable")
        points[order] += np.arange(count, 0, -1)
    return points
