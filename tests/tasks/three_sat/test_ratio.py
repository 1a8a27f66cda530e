"""The ratio and its jackknife error against a simulation."""

from __future__ import annotations

import random
from statistics import fmean, stdev
from types import SimpleNamespace

import pytest


def test_equal_work_is_one_without_error(grader: SimpleNamespace) -> None:
    assert grader.ratio.time_ratio([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], (0.5, 0.5)) == (1.0, 0.0)


def test_startup_counts_for_both(grader: SimpleNamespace) -> None:
    ratio = grader.ratio.time_ratio([1.0, 1.0], [2.0, 2.0], (2.0, 0.0))
    assert ratio.value == 1.0


def test_the_error_is_the_spread_of_repeated_grades(grader: SimpleNamespace) -> None:
    draw = random.Random(4)

    def one() -> tuple[float, float]:
        work = [draw.uniform(0.8, 1.2) for _ in range(40)]
        noisy = [[part * share * draw.lognormvariate(0, 0.08) for part in work] for share in (0.6, 1.0)]
        return tuple(grader.ratio.time_ratio(*noisy, (0.01, 0.01)))

    values, errors = zip(*(one() for _ in range(400)), strict=True)
    assert fmean(values) == pytest.approx(0.6, rel=0.01)
    assert fmean(errors) == pytest.approx(stdev(values), rel=0.1)
