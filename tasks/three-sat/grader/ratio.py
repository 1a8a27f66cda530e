"""The relative time of two players and its standard error, from slices in which both did the same work.

Takes CPU seconds, gives numbers. Never reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt
from typing import NamedTuple

STARTUP_NOISE = 0.1
"""Standard error of the CPU time of one start, as a share of it: 0.07 was measured (decision 0004). A grade sees each
player start once, so its slices cannot tell."""


class Ratio(NamedTuple):
    value: float
    stderr: float


def time_ratio(candidate_s: Sequence[float], starter_s: Sequence[float], startup_s: tuple[float, float]) -> Ratio:
    """Candidate's total over starter's, each with its start-up; stderr is the jackknife over pairs of slices, and
    STARTUP_NOISE of both start-ups.

    candidate_s, starter_s: CPU seconds a slice, in the same order, at least two. startup_s: (candidate, starter).
    Source: B. Efron, The Jackknife, the Bootstrap and Other Resampling Plans (1982), section 3.
    """
    slices = len(candidate_s)
    above, below = startup_s[0] + sum(candidate_s), startup_s[1] + sum(starter_s)
    without = [(above - c) / (below - s) for c, s in zip(candidate_s, starter_s, strict=True)]
    centre = sum(without) / slices
    spread = sum((value - centre) ** 2 for value in without)
    once = STARTUP_NOISE * hypot(startup_s[0], above / below * startup_s[1]) / below
    return Ratio(above / below, hypot(sqrt((slices - 1) / slices * spread), once))
