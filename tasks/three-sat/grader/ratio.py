"""The relative time of two players and its standard error, from slices in which both did the same work.

Takes CPU seconds, gives numbers. Never reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple


class Ratio(NamedTuple):
    value: float
    stderr: float


def time_ratio(candidate_s: Sequence[float], starter_s: Sequence[float], startup_s: tuple[float, float]) -> Ratio:
    """Candidate's total over starter's, each with its start-up; stderr is the jackknife over pairs of slices.

    candidate_s, starter_s: CPU seconds a slice, in the same order, at least two. startup_s: (candidate, starter).
    Source: B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982), section 3.
    """
    slices = len(candidate_s)
    above, below = startup_s[0] + sum(candidate_s), startup_s[1] + sum(starter_s)
    without = [(above - c) / (below - s) for c, s in zip(candidate_s, starter_s, strict=True)]
    centre = sum(without) / slices
    spread = sum((value - centre) ** 2 for value in without)
    return Ratio(above / below, sqrt((slices - 1) / slices * spread))
