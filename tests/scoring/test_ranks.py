"""Ranks, ties, Borda and the bootstrap against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.pareto import frontier
from scoring.ranks import borda, leave_one_out, rank_intervals, ranks, tie_groups
from scoring.stats import best_of_resampled, interval, mean_resampled, stream

UP = np.array([True])


def test_equal_values_share_a_rank() -> None:
    assert ranks(np.array([2.0, 5.0, 2.0, 7.0])).tolist() == [3, 2, 3, 1]
    assert ranks(np.array([0.1 + 0.2, 0.3])).tolist() == [1, 1]


def test_borda_gives_ties_the_average_and_puts_missing_ones_jointly_last() -> None:
    scores = np.array([[9.0], [7.0], [7.0], [np.nan], [np.nan]])
    assert borda(scores, np.array([True])).tolist() == [5.0, 3.5, 3.5, 1.5, 1.5]
    assert borda(scores, np.array([False])).tolist() == [3.0, 4.5, 4.5, 1.5, 1.5]


@given(arrays(np.float64, (6, 4), elements=st.sampled_from([1.0, 2.0, 3.0, np.nan])), st.permutations(range(6)))
def test_borda_depends_on_no_order_and_keeps_its_sum(scores: np.ndarray, order: list[int]) -> None:
    maximise = np.array([True, False, True, False])
    points = borda(scores, maximise)
    np.testing.assert_allclose(borda(scores[order], maximise), points[order])
    assert points.sum() == pytest.approx(4 * 21)


def test_best_of_four_resampled_has_its_exact_distribution() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    exact = [max(draw) for draw in itertools.product(values, repeat=4)]
    drawn = best_of_resampled(values[None, [2, 0, 3, 1]], UP, stream("test"), draws=200_000)[:, 0]
    for value in values:
        assert (drawn == value).mean() == pytest.approx(exact.count(value) / 256, abs=0.005)


def test_a_missing_seed_is_the_worst_in_both_directions() -> None:
    values = np.array([[np.nan, np.nan, np.nan, 2.0]] * 2)
    drawn = best_of_resampled(values, np.array([True, False]), stream("test"), draws=100_000)
    np.testing.assert_allclose(np.isnan(drawn).mean(axis=0), (3 / 4) ** 4, atol=0.006)


def test_mean_of_four_resampled_has_its_own_mean_and_error() -> None:
    parts = np.array([[0.0, 1.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    drawn = mean_resampled(parts, stream("test"), draws=100_000)
    assert drawn.mean() == pytest.approx(2.5, abs=0.01)
    assert drawn.std() == pytest.approx(np.sqrt(1.25 / 4), abs=0.01)


def test_a_stream_depends_on_its_names_alone() -> None:
    first, again, other = (stream(*names).random(3).tolist() for names in (("a", "b"), ("a", "b"), ("ab", "")))
    assert first == again != other


def test_tie_groups_walk_down_from_the_leader() -> None:
    rng = np.random.default_rng(0)
    aup = np.array([1.0, 0.99, 0.5, 0.49, 0.1])
    draws = aup + rng.normal(0.0, 0.02, size=(2000, 5))
    order = [3, 0, 4, 2, 1]
    assert tie_groups(aup, draws).tolist() == [1, 1, 2, 2, 3]
    assert tie_groups(aup[order], draws[:, order]).tolist() == [2, 1, 3, 2, 1]
    low, high = rank_intervals(draws)
    assert (low[0], high[0], low[4], high[4]) == (1, 2, 5, 5)


def test_leave_one_task_out() -> None:
    parts = np.array([[0.9, 0.1], [0.1, 0.2], [0.2, 0.0]])
    low, high = leave_one_out(parts)
    assert low.tolist() == [1, 1, 2]
    assert high.tolist() == [2, 3, 3]
    assert leave_one_out(parts[:, :1])[0].tolist() == [1, 3, 2]


def test_interval_of_a_constant() -> None:
    low, high = interval(np.full((100, 1), 0.3))
    assert (low[0], high[0]) == (0.3, 0.3)


def test_frontier() -> None:
    points = [(1.0, 0.5), (2.0, 0.4), (2.0, 0.9), (None, 5.0), (1.0, 0.5), (0.0, 0.1)]
    assert frontier(points) == [True, False, True, False, True, True]
