"""The audit's arithmetic on simulated players: what issue 4 demands of it, a thousand grades each.

Targets' surprises are drawn so that a model's mean loss is that of the baseline (4.67) or of a far better model (3.0);
the rounding of bfloat16 is drawn wider, and with heavier tails, than what tests/benchmarks/claims_rounding.py measures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.grading.claims.runtime.audit import (
    BOUND,
    CEILING,
    FLOOR,
    Void,
    audited,
    checked_claims,
    judge,
    mean_loss,
    tolerated_mean,
)
from harness.schema.task import load_task, tasks_root

Floats = np.ndarray[Any, np.dtype[np.float64]]
AUDITS = int(load_task(tasks_root() / "fineweb-lm").profiles["official"].params["audits"])
GRADES = 1000
ROUNDING = 0.03
LOSSES = (4.67, 3.0)


def honest(random: np.random.Generator, loss: float) -> Floats:
    """Log-probabilities at the audited positions: gamma-distributed surprise, as skewed as that of real text."""
    return -random.gamma(1.2, loss / 1.2, AUDITS)


def rounding(random: np.random.Generator) -> Floats:
    """Laplace with standard deviation ROUNDING: kurtosis 6."""
    return random.laplace(0, ROUNDING / np.sqrt(2), AUDITS)


def voided(claim: Callable[[np.random.Generator, Floats], Floats], loss: float) -> int:
    """How many of GRADES audits refuse what `claim` makes of the honest log-probabilities."""
    count = 0
    for grade in range(GRADES):
        random = np.random.default_rng((grade, 4))
        found = honest(random, loss)
        try:
            judge(claim(random, found) + rounding(random), found)
        except Void:
            count += 1
    return count


@pytest.mark.parametrize("loss", LOSSES)
def test_an_honest_bfloat16_model_passes_1000_of_1000(loss: float) -> None:
    assert voided(lambda random, found: found, loss) == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_a_leak_of_one_target_in_a_hundred_is_caught(loss: float) -> None:
    """A leaked target is claimed as certain. Its surprise was below BOUND anyway for some: no gain, no difference."""

    def leak(random: np.random.Generator, found: Floats) -> Floats:
        return np.where(random.random(AUDITS) < 0.01, -0.001, found)

    assert voided(leak, loss) > 0.99 * GRADES


@pytest.mark.parametrize("loss", LOSSES)
def test_a_model_that_remembers_its_targets_is_caught(loss: float) -> None:
    assert voided(lambda random, found: np.full(AUDITS, -0.01), loss) == GRADES


@pytest.mark.parametrize("loss", LOSSES)
def test_a_model_that_adds_0_04_nats_is_caught(loss: float) -> None:
    assert voided(lambda random, found: found + 0.04, loss) == GRADES


def test_noise_added_on_purpose_hides_no_shift() -> None:
    """Uniform noise as wide as BOUND allows would lift 3 standard errors to 0.03 nats; the ceiling holds."""
    noisy = voided(lambda random, found: found + random.uniform(-0.25, 0.25, AUDITS) + 0.04, 3.0)
    assert noisy > 0.99 * GRADES


def test_a_leak_that_stays_within_the_bound_is_caught_by_the_mean() -> None:
    """A fifth of the targets, each claimed just less than BOUND too high."""
    some = voided(lambda random, found: found + 0.3 * (random.random(AUDITS) < 0.2), 3.0)
    assert some > 0.99 * GRADES


def test_the_tolerated_mean_lies_between_floor_and_ceiling() -> None:
    assert tolerated_mean(np.zeros(100)) == FLOOR
    assert tolerated_mean(np.array([-BOUND, BOUND] * 50)) == CEILING
    three = tolerated_mean(np.array([-0.02, 0.02] * 50))
    assert three == pytest.approx(3 * 0.02 * np.sqrt(100 / 99) / 10)


def test_a_distribution_must_add_up_to_one() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, 1000)
    even = (logits - np.log(np.exp(logits).sum())).astype(np.float32)
    assert audited(even, 7) == pytest.approx(float(even[7]), abs=1e-5)
    assert audited(even + np.float32(0.005) - np.float32(0.01), 7) == pytest.approx(float(even[7]), abs=1e-5)
    for bad in (even - 0.5, even - 2000, np.full(1000, -np.inf), np.where(even == even[3], np.nan, even), even + 20):
        with pytest.raises(Void):
            audited(bad.astype(np.float32), 7)


def test_claims_are_finite_and_not_above_zero() -> None:
    fine = np.full((4, 8), -1.0, np.float32)
    fine[0, 0] = 5e-5
    assert checked_claims(fine).max() == 0.0
    for value in (np.nan, np.inf, -np.inf, 0.01):
        bad = fine.copy()
        bad[1, 2] = value
        with pytest.raises(Void):
            checked_claims(bad)


def test_the_standard_error_is_over_windows() -> None:
    """Tokens of one window are not independent: repeating each of them changes nothing."""
    claims = -np.random.default_rng(0).gamma(1.2, 3.0, (64, 16))
    assert mean_loss(np.repeat(claims, 4, axis=1)) == pytest.approx(mean_loss(claims))
    loss, error = mean_loss(claims)
    assert (loss, error) == pytest.approx((-claims.mean(), claims.mean(axis=1).std(ddof=1) / 8))
