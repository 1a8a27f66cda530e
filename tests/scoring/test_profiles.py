"""Ratios, exact areas and curves against slow definitions, and every degenerate case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.compat import EPS, compat_aup, compat_tau_max
from scoring.profiles import aup, best_of, cohort_scale, contributions, fixed_scale, step_curves

MAX = np.array([True, True, False])
RATIOS = arrays(np.float64, (4, 13), elements=st.floats(-0.5, 3.0))
SCORES = arrays(np.float64, (5, 3), elements=st.floats(0.01, 100.0) | st.just(np.nan))


@given(RATIOS, st.floats(0.1, 2.0))
def test_closed_form_is_the_area_under_the_profile(logs: np.ndarray, tau_max: float) -> None:
    taus = np.linspace(0.0, tau_max, 20_001)
    middle = (taus[1:] + taus[:-1]) / 2
    rho = (np.maximum(logs, 0.0)[:, None, :] <= middle[None, :, None]).mean(axis=2)
    area = rho.sum(axis=1) * (taus[1] - taus[0])
    np.testing.assert_allclose(aup(np.maximum(logs, 0.0), tau_max), area, atol=tau_max / 20_000)


@given(RATIOS, st.floats(0.1, 2.0))
def test_the_drawn_curve_has_the_same_area(logs: np.ndarray, tau_max: float) -> None:
    for row in logs:
        _, tau, rho = step_curves(row[None], tau_max)
        assert (np.diff(tau) > 0).all()
        assert (np.diff(rho) >= 0).all()
        assert float((np.diff(tau) * rho[:-1]).sum()) == pytest.approx(float(aup(row, tau_max)), abs=1e-9)


@given(SCORES, st.permutations(range(5)), st.permutations(range(3)))
def test_order_of_methods_and_tasks_does_not_matter(scores: np.ndarray, rows: list[int], tasks: list[int]) -> None:
    scale = cohort_scale(scores, scores[-1], MAX, EPS)
    shuffled = scores[rows][:, tasks]
    other = cohort_scale(shuffled, scores[-1][tasks], MAX[tasks], EPS)
    np.testing.assert_allclose(other.log_ratios(shuffled), scale.log_ratios(scores)[rows][:, tasks], atol=1e-12)


def test_the_papers_penalty_where_the_baseline_is_feasible() -> None:
    scores = np.array([[10.0], [4.0], [np.nan], [5.0]])
    logs = cohort_scale(scores, np.array([5.0]), np.array([True]), EPS).log_ratios(scores)
    np.testing.assert_allclose(10 ** logs[:, 0], [1.0, 2.1, 2.1, 2.0])


@pytest.mark.parametrize("scores", [[[np.nan], [np.nan]], [[-1.0], [-2.0]]])
def test_no_feasible_method(scores: list[list[float]]) -> None:
    values = np.array(scores)
    scale = cohort_scale(values, np.array([np.nan]), np.array([True]), EPS)
    np.testing.assert_allclose(scale.log_ratios(values), np.log10(1.05))
    assert not scale.feasible(values).any()
    assert compat_tau_max([scale]) == 0.4


def test_zero_is_infeasible_unless_it_is_the_best_there_is() -> None:
    highest = np.array([[0.0], [2.0]])
    np.testing.assert_allclose(
        10 ** cohort_scale(highest, np.array([np.nan]), np.array([True]), EPS).log_ratios(highest), [[1.05], [1.0]]
    )
    lowest = np.array([[0.0], [2.0]])
    scale = cohort_scale(lowest, np.array([np.nan]), np.array([False]), EPS)
    np.testing.assert_allclose(10 ** scale.log_ratios(lowest), [[1.0], [1.05]])


def test_one_method_alone_has_the_whole_area() -> None:
    scores = np.array([[3.0, 4.0]])
    logs = cohort_scale(scores, np.array([np.nan, np.nan]), np.array([True, False]), EPS).log_ratios(scores)
    assert aup(logs, 0.7) == pytest.approx(0.7)
    assert compat_aup(logs, 0.7) == pytest.approx(0.7)


def test_a_beaten_reference_counts_above_tau_max() -> None:
    scale = fixed_scale(np.array([1.0]), np.array([0.5]), np.array([True]), EPS, 0.4)
    assert float(aup(scale.log_ratios(np.array([2.0])), 0.4)) == pytest.approx(0.4 + np.log10(2))


def test_without_a_baseline_an_infeasible_task_counts_nothing() -> None:
    scale = fixed_scale(np.array([1.0]), np.array([np.nan]), np.array([True]), EPS, 0.4)
    assert float(contributions(scale.log_ratios(np.array([np.nan])), 0.4)[0]) == 0.0


def test_best_over_seeds_ignores_missing_ones_in_both_directions() -> None:
    values = np.array([[[1.0, np.nan, 3.0], [1.0, np.nan, 3.0], [np.nan] * 3]])
    best = best_of(values, np.array([True, False, True]))
    np.testing.assert_array_equal(best, [[3.0, 1.0, np.nan]])
