"""Metrics agree with scikit-learn, their standard errors with the jackknife done the slow way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score, root_mean_squared_error

from harness.errors import GradingError
from harness.grading.metrics import accuracy, r2, rmse

RANDOM = np.random.default_rng(7)
TRUTH = RANDOM.normal(180_000, 80_000, 292)
GUESS = TRUTH + RANDOM.normal(0, 30_000, 292)


def slow_jackknife(measure: object, truth: np.ndarray, guess: np.ndarray) -> float:
    n = len(truth)
    left = np.array([measure(np.delete(truth, k), np.delete(guess, k)) for k in range(n)])  # type: ignore[operator]
    return math.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())


@pytest.mark.parametrize(("ours", "theirs"), [(r2, r2_score), (rmse, root_mean_squared_error)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n", [3, 10, 292])
def test_floats(ours: object, theirs: object, scale: float, n: int) -> None:
    truth, guess = TRUTH[:n] * scale, GUESS[:n] * scale
    value, stderr = ours(truth, guess)  # type: ignore[operator]
    assert value == pytest.approx(theirs(truth, guess), rel=1e-12)  # type: ignore[operator]
    assert stderr == pytest.approx(slow_jackknife(theirs, truth, guess), rel=1e-9)


@pytest.mark.parametrize("kind", [int, str])
def test_accuracy(kind: type) -> None:
    truth = np.array([kind(value) for value in RANDOM.integers(0, 10, 500)])
    guess = np.where(RANDOM.random(500) < 0.7, truth, truth[::-1])
    value, stderr = accuracy(truth, guess)
    assert value == pytest.approx(accuracy_score(truth, guess), rel=1e-12)
    assert stderr == pytest.approx(slow_jackknife(accuracy_score, truth, guess), rel=1e-9)


def test_the_standard_error_is_the_spread_over_test_sets() -> None:
    """2,000 fresh test sets of the same size: their spread is what the jackknife of one of them promises."""
    values, promised = [], []
    for _ in range(2000):
        truth = RANDOM.normal(0, 1, 300)
        guess = truth + RANDOM.normal(0, 0.4, 300)
        value, stderr = r2(truth, guess)
        values.append(value)
        promised.append(stderr)
    assert np.mean(promised) == pytest.approx(np.std(values), rel=0.1)


def test_perfect_and_tiny_sets() -> None:
    assert r2(TRUTH, TRUTH) == (1.0, 0.0)
    assert rmse(TRUTH, TRUTH) == (0.0, 0.0)
    assert accuracy(np.array(["a"]), np.array(["a"])) == (1.0, None)
    assert r2(TRUTH[:2], GUESS[:2]).stderr is None
    assert r2(np.array([0.0, 0.0, 1.0]), np.zeros(3)).stderr is None  # without the third row r2 does not exist
    with pytest.raises(GradingError, match="at least two different"):
        r2(np.ones(5), np.ones(5))
