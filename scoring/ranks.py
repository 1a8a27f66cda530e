"""Ranks, their uncertainty and Borda points: pure functions on arrays.

Takes AUP of shape (entries,), draws of shape (draws, entries), contributions of shape (entries, tasks). Equal values
share a rank. Never depends on the order of the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scoring.profiles import Bools, Floats
from scoring.stats import LEVEL

Ints = NDArray[np.int64]
_SAME = 1e-12


def ranks(values: Floats) -> Ints:
    """1 + how many are larger, along the last axis; values closer than 1e-12 are equal."""
    ordered = np.sort(values, axis=-1)
    if values.ndim == 1:
        return np.asarray(1 + values.size - np.searchsorted(ordered, values + _SAME, side="right"))
    return np.stack([ranks(row) for row in values]) if values.size else np.zeros(values.shape, dtype=np.int64)


def rank_intervals(draws: Floats) -> tuple[Ints, Ints]:
    """95 % interval of each entry's rank over the draws (draws, entries), both ends whole ranks."""
    drawn = ranks(draws)
    tail = (1 - LEVEL) / 2
    low = np.quantile(drawn, tail, axis=0, method="lower")
    high = np.quantile(drawn, 1 - tail, axis=0, method="higher")
    return low.astype(np.int64), high.astype(np.int64)


def tie_groups(values: Floats, draws: Floats) -> Ints:
    """Group 1, 2, ... of each entry, walking down: one joins while the interval of leader - entry contains 0."""
    groups = np.zeros(values.size, dtype=np.int64)
    tail = (1 - LEVEL) / 2
    leader, group = -1, 0
    for entry in np.argsort(-values, kind="stable"):
        apart = True
        if leader >= 0:
            low, high = np.quantile(draws[:, leader] - draws[:, entry], [tail, 1 - tail])
            apart = not (low <= 0.0 <= high)
        if apart:
            leader, group = int(entry), group + 1
        groups[entry] = group
    return groups


def leave_one_out(contributions: Floats) -> tuple[Ints, Ints]:
    """Lowest and highest rank of each entry when one task is left out, contributions (entries, tasks)."""
    if contributions.shape[1] < 2:
        only = ranks(contributions.sum(axis=1))
        return only, only
    without = contributions.sum(axis=1)[None, :] - contributions.T
    drawn = ranks(without)
    return drawn.min(axis=0), drawn.max(axis=0)


def borda(scores: Floats, maximise: Bools) -> Floats:
    """Sum over tasks of n + 1 - average rank, scores (entries, tasks); ties share it, missing ones are jointly last."""
    goodness = np.where(maximise, scores, -scores)
    goodness = np.where(np.isnan(goodness), -np.inf, goodness)
    points = np.zeros(scores.shape[0])
    for column in goodness.T:
        ordered = np.sort(column)
        below, upto = np.searchsorted(ordered, column, side="left"), np.searchsorted(ordered, column, side="right")
        points += (below + upto + 1) / 2
    return points
