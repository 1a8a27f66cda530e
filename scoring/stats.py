"""Resampling four seeds with replacement, exactly and from one byte, seeded by the entry's own name.

Takes names, gives streams, picks and the ends of intervals. Four picks out of four seeds have 4^4 = 256 equally likely
outcomes, so one random byte is one resample: its four base-4 digits are the picked places. Seeds are put in order of
merit first (a resample does not mind), so a result does not depend on which seed is called 0. Every entry has a random
stream of its own: its draws depend on nobody else and on no order of rows. Never reads the clock or the process's
state.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from scoring.profiles import Bools, Floats

SEEDS = 4
OUTCOMES = SEEDS**SEEDS
DRAWS = 2000
LEVEL = 0.95

Bytes = NDArray[np.uint8]
_DIGITS = np.stack([np.arange(OUTCOMES) // SEEDS**place % SEEDS for place in range(SEEDS)])
_BEST = _DIGITS.min(axis=0)


def stream(*names: str) -> np.random.PCG64:
    """Random bits that depend on the names alone."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.PCG64(int.from_bytes(digest, "big"))


def picks(entry: str, tasks: int) -> Bytes:
    """One byte a (task, draw), shape (tasks, DRAWS): which seeds that draw picked."""
    words = stream("bootstrap", entry).random_raw(tasks * DRAWS // 8)
    return np.asarray(words).astype("<u8").view(np.uint8).reshape(tasks, DRAWS)


def by_merit(values: Floats, maximise: Bools) -> Floats:
    """Values (..., tasks, seeds) with the best seed first and missing ones last."""
    sign = np.where(maximise, -1.0, 1.0)[:, None]
    return np.asarray(np.sort(values * sign, axis=-1) * sign)


def best_of_picks(ordered: Floats) -> Floats:
    """What the best pick of each of the 256 outcomes is worth; (..., seeds), best seed first -> (..., 256)."""
    return np.asarray(ordered[..., _BEST])


def mean_of_picks(values: Floats) -> Floats:
    """Mean of the four picks of each of the 256 outcomes; (..., seeds) -> (..., 256), summed in a fixed order."""
    quarter = values / SEEDS
    pairs = _sums(quarter, quarter)
    return _sums(pairs, pairs)


def _sums(high: Floats, low: Floats) -> Floats:
    """Every sum of one of `high` and one of `low`, the digit of `low` running fastest."""
    grid = high[..., :, None] + low[..., None, :]
    return np.asarray(grid.reshape(*grid.shape[:-2], -1))


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """Ends of the 95 % percentile interval over the last axis, linear between the two nearest draws."""
    tail = (1 - LEVEL) / 2 * (draws.shape[-1] - 1)
    inner = int(tail)
    outer = draws.shape[-1] - 1 - inner
    places = [inner, min(inner + 1, outer), max(outer - 1, inner), outer]
    found = np.partition(draws, sorted(set(places)), axis=-1)[..., places]
    share = tail - inner
    low = found[..., 0] + share * (found[..., 1] - found[..., 0])
    high = found[..., 3] - share * (found[..., 3] - found[..., 2])
    return low, high
