"""What the returns of several checkpoints are worth. Takes an array, gives the Outcome of the RL tasks; pure."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from .table import Outcome

if TYPE_CHECKING:
    from .wire import Array


def summary(returns: Array) -> Outcome:
    """Returns (checkpoints, episodes) -> the metrics.

    The standard error is that over checkpoints, and at least that over episodes: copies of one checkpoint agree
    with each other, which makes them no surer.
    """
    means = returns.mean(axis=1)
    count = len(means)
    over_checkpoints = float(means.std(ddof=1)) / sqrt(count) if count > 1 else 0.0
    single = returns.std(axis=1, ddof=1) / sqrt(returns.shape[1])
    over_episodes = float(np.sqrt((single**2).sum())) / count
    worst, best = int(means.argmin()), int(means.argmax())
    return Outcome(
        {
            "mean_return": float(means.mean()),
            "worst_checkpoint": float(means[worst]),
            "best_checkpoint": float(means[best]),
        },
        {
            "mean_return": max(over_checkpoints, over_episodes),
            "worst_checkpoint": float(single[worst]),
            "best_checkpoint": float(single[best]),
        },
        n=int(returns.size),
    )
