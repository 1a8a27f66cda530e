"""The cost frontier: who cannot be bettered in cost and AUP at once. Pure function; unknown cost is never on it."""

from __future__ import annotations

import numpy as np

from scoring.profiles import Bools, Floats


def frontier(cost: Floats, aup: Floats) -> Bools:
    """Non-dominated in (cost down, AUP up), both of shape (entries,). Dominated: another is no worse in both and
    better in one; equal points are both on it. NaN in either is unknown: never on it, dominates nobody.
    """
    on = np.zeros(cost.size, dtype=bool)
    known = np.flatnonzero(~(np.isnan(cost) | np.isnan(aup)))
    order = known[np.lexsort((-aup[known], cost[known]))]
    if order.size == 0:
        return on
    price, area = cost[order], aup[order]
    first = np.searchsorted(price, price, side="left")
    cheaper = np.concatenate([[-np.inf], np.maximum.accumulate(area)])[first]
    beats_cheaper = (area > cheaper) | (first == 0)
    on[order] = beats_cheaper & (area == area[first])
    return on
