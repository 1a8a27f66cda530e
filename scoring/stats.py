"""Resampling four seeds with replacement, exactly and from one byte, seeded by the entry's own name.

Takes names, gives streams, picks and the ends of intervals. Four picks out of four seeds have 4^4 = 256 equally likely
outcomes, so one random byte is one resample: its four base-4 digits are the picked places. Seeds are put in order of
merit first (a resample does not mind), so a result does not depend on which seed is called 0. Every entry has a random
stream of its own: its draws depend on nobody else and on no order of rows. Never reads the clock or the process's
state.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISpawnableSeedSequence
from numpy.typing import NDArray

from scoring.profiles import Bools, Floats

SEEDS = 4
OUTCOMES = SEEDS**SEEDS
DRAWS = 2000
LEVEL = 0.95

Bytes = NDArray[np.uint8]
_BEST = np.min([np.arange(OUTCOMES) // SEEDS**place % SEEDS for place in range(SEEDS)], axis=0)


class _Words(ISpawnableSeedSequence):
    """Seed words that are given, not derived: numpy's own mixing takes longer than all draws of an entry."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> NDArray[Any]:
        """The words. PCG64 asks for four of 64 bits."""
        return self._words[:n_words]

    def spawn(self, n_children: int) -> list[Any]:
        """Not needed here."""
        raise NotImplementedError


def stream(*names: str) -> np.random.PCG64:
    """Random bits that depend on the names alone: PCG64 seeded by their SHA-256."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    words: Any = _Words(np.frombuffer(digest, dtype="<u8"))
    return np.random.PCG64(words)


def picks(entry: str, tasks: int) -> Bytes:
    """One byte a (task, draw), shape (tasks, DRAWS): which seeds that draw picked."""
    words = stream("bootstrap", entry).random_raw(tasks * DRAWS // 8)
    return np.asarray(words).astype("<u8", copy=False).view(np.uint8).reshape(tasks, DRAWS)


def by_merit(values: Floats, maximise: Bools) -> Floats:
    """Values (..., tasks, seeds) with the best seed first and missing ones last."""
    sign = np.where(maximise, -1.0, 1.0)[:, None]
    return np.asarray(np.sort(values * sign, axis=-1) * sign)


def best_of_picks(ordered: Floats, out: Floats | None = None) -> Floats:
    """What the best pick of each outcome is worth; (..., seeds), best seed first -> (..., 256), into `out` if given."""
    return np.asarray(np.take(ordered, _BEST, axis=-1, out=out, mode="clip"))


def mean_of_picks(values: Floats, out: Floats | None = None) -> Floats:
    """Mean of the four picks of each of the 256 outcomes; (..., seeds) -> (..., 256), into `out` if given.

    Summed in a fixed order, the same for which mean_of_seeds() sums: of equal values it is that value, exactly.
    """
    quarter = values / SEEDS
    pairs = (quarter[..., :, None] + quarter[..., None, :]).reshape(*values.shape[:-1], SEEDS**2)
    found = np.empty((*values.shape[:-1], OUTCOMES)) if out is None else out
    np.add(pairs[..., :, None], pairs[..., None, :], out=found.reshape(*pairs.shape, SEEDS**2))
    return found


def mean_of_seeds(values: Floats) -> Floats:
    """Mean over the last axis, the four seeds."""
    quarter = values / SEEDS
    return np.asarray((quarter[..., 0] + quarter[..., 1]) + (quarter[..., 2] + quarter[..., 3]))


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """Ends of the 95 % percentile interval over the last axis, linear between the two nearest draws.

    Leaves the draws in another order.
    """
    tail = (1 - LEVEL) / 2 * (draws.shape[-1] - 1)
    inner = int(tail)
    outer = draws.shape[-1] - 1 - inner
    draws.partition(sorted({inner, min(inner + 1, outer), max(outer - 1, inner), outer}), axis=-1)
    share = tail - inner
    low = draws[..., inner] + share * (draws[..., min(inner + 1, outer)] - draws[..., inner])
    high = draws[..., outer] - share * (draws[..., outer] - draws[..., max(outer - 1, inner)])
    return low, high
