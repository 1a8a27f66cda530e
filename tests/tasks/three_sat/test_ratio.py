"""The ratio and its jackknife error against a simulation."""

from __future__ import annotations

import random
from statistics import fmean, stdev
from types import SimpleNamespace

import pytest


def test_equal_work_is_one_without_error(grader: SimpleNamespace) -> None:
    assert grader.ratio.time_ratio([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], (0.0, 0.0)) == (1.0, 0.0)
    started = grader.ratio.time_ratio([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], (0.5, 0.5))
    assert started == (1.0, pytest.approx(0.1 * 0.5 * 2**0.5 / 6.5))


def test_startup_counts_for_both(grader: SimpleNamespace) -> None:
    ratio = grader.ratio.time_ratio([1.0, 1.0], [2.0, 2.0], (2.0, 0.0))
    assert ratio.value == 1.0


@pytest.mark.parametrize("startup_s", [0.01, 4.0, 40.0])
def test_the_error_is_the_spread_of_repeated_grades(grader: SimpleNamespace, startup_s: float) -> None:
    """40 slices of about a second, and one start whose own noise no slice shows."""
    draw = random.Random(4)

    def one() -> tuple[float, float]:
        work = [draw.uniform(0.8, 1.2) for _ in range(40)]
        noisy = [[part * share * draw.lognormvariate(0, 0.08) for part in work] for share in (0.6, 1.0)]
        starts = [startup_s * draw.gauss(1, grader.ratio.STARTUP_NOISE) for _ in range(2)]
        return tuple(grader.ratio.time_ratio(*noisy, tuple(starts)))

    values, errors = zip(*(one() for _ in range(400)), strict=True)
    assert fmean(values) == pytest.approx((24 + startup_s) / (40 + startup_s), rel=0.01)
    assert fmean(errors) == pytest.approx(stdev(values), rel=0.1)
