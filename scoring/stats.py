"""The bootstrap over seeds, vectorised and seeded by the entry's own name.

Takes values of shape (tasks, seeds), gives draws of the best of k resampled seeds. Every entry has a random stream of
its own, so its interval depends on nobody else and on no order of rows. Never reads the clock or the process's state.
"""

from __future__ import annotations

import hashlib

import numpy as np

from scoring.profiles import Bools, Floats

DRAWS = 2000
LEVEL = 0.95


def stream(*names: str) -> np.random.Generator:
    """A generator that depends on the names alone."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def best_of_resampled(values: Floats, maximise: Bools, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Best of k values drawn with replacement from the k of each task, shape (draws, tasks). Missing is worst.

    The j-th smallest of k is the best with probability (j^k - (j-1)^k)/k^k, so one uniform number a cell suffices.
    """
    tasks, seeds = values.shape
    goodness = np.where(maximise[:, None], values, -values)
    ordered = np.sort(np.where(np.isnan(goodness), -np.inf, goodness), axis=1)
    edges = (np.arange(1, seeds) / seeds) ** seeds
    place = np.searchsorted(edges, rng.random((draws, tasks)), side="right")
    drawn = ordered[np.arange(tasks)[None, :], place]
    return np.where(np.isneginf(drawn), np.nan, np.where(maximise, drawn, -drawn))


def mean_resampled(values: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """Sum over tasks of the mean of k values drawn with replacement, values (tasks, seeds); shape (draws,)."""
    tasks, seeds = values.shape
    picked = rng.integers(0, seeds, size=(draws, tasks, seeds))
    return np.asarray(values[np.arange(tasks)[None, :, None], picked].mean(axis=2).sum(axis=1))


def interval(draws: Floats) -> tuple[Floats, Floats]:
    """Ends of the 95 % percentile interval over the first axis."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high
