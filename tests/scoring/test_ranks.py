"""Ranks, ties, Borda and the bootstrap against enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.bootstrap import frozen_draws
from scoring.pareto import frontier
from scoring.ranks import borda, leave_one_out, rank_intervals, ranks, tie_groups
from scoring.stats import best_of_picks, by_merit, interval, mean_of_picks, picks, stream

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


def outcomes(values: list[float], reduce: Callable[[list[float]], float]) -> list[float]:
    return sorted(reduce(list(draw)) for draw in itertools.product(values, repeat=4))


@given(st.lists(st.floats(-10.0, 10.0), min_size=4, max_size=4))
def test_one_byte_is_one_resample(values: list[float]) -> None:
    ordered = by_merit(np.array([values]), UP)[0]
    table = best_of_picks(ordered)
    assert sorted(table.tolist()) == outcomes(values, max)
    np.testing.assert_allclose(
        np.sort(mean_of_picks(ordered)), outcomes(values, lambda draw: sum(draw) / 4), atol=1e-12
    )


def test_every_outcome_is_drawn_equally_often() -> None:
    drawn = np.concatenate([picks(f"entry-{i}", 13) for i in range(40)], axis=1)
    counts = np.bincount(drawn.ravel(), minlength=256)
    assert ((counts - drawn.size / 256) ** 2 / (drawn.size / 256)).sum() == pytest.approx(255, abs=6 * (2 * 255) ** 0.5)


def test_missing_seeds_come_last_in_both_directions() -> None:
    values = np.array([[np.nan, 1.0, np.nan, 2.0]] * 2)
    np.testing.assert_array_equal(
        by_merit(values, np.array([True, False])), [[2.0, 1.0, np.nan, np.nan], [1.0, 2.0, np.nan, np.nan]]
    )


def test_intervals_are_those_of_the_exact_distribution() -> None:
    """One task, so that all 256 outcomes can be listed; distinct seeds leave gaps that no sampling error crosses."""
    parts = np.array([4.0, 3.0, 2.0, 1.0])
    draws = frozen_draws(("entry",), np.broadcast_to(parts[None, None, :, None], (1, 1, 4, 2)))
    assert draws.aup is not None
    for value in (1.0, 2.0, 3.0, 4.0):
        exact = outcomes(parts.tolist(), max).count(value) / 256
        assert (draws.aup[0, 0] == value).mean() == pytest.approx(exact, abs=4 * (exact / 2000) ** 0.5)
    means = outcomes(parts.tolist(), lambda draw: sum(draw) / 4)
    assert (draws.low[0, 0, 0], draws.high[0, 0, 0]) == (2.0, 4.0)
    assert draws.low[1, 0, 0] == pytest.approx(np.quantile(means, 0.025), abs=0.26)
    assert draws.high[1, 0, 0] == pytest.approx(np.quantile(means, 0.975), abs=0.26)


def test_a_stream_depends_on_its_names_alone() -> None:
    first, again, other = (stream(*names).random_raw(3).tolist() for names in (("a", "b"), ("a", "b"), ("ab", "")))
    assert first == again != other


@given(arrays(np.float64, 31, elements=st.sampled_from([0.0, 0.25, 0.25 + 4e-13, 0.5, 1.0, 7.0])))
def test_ranks_are_counted_and_chains_share_one(values: np.ndarray) -> None:
    assert ranks(values).tolist() == [1 + int((values > value + 1e-12).sum()) for value in values]


def test_a_chain_of_close_neighbours_is_one_rank() -> None:
    assert ranks(np.array([0.0, 8e-13, 16e-13, 24e-13, 1.0])).tolist() == [2, 2, 2, 2, 1]


@given(st.lists(st.floats(0.0, 1e-9) | st.floats(0.0, 1e9), max_size=40))
def test_ranks_survive_values_of_very_different_size(values: list[float]) -> None:
    for one, other in itertools.pairwise(sorted(zip(ranks(np.array(values)).tolist(), values, strict=True))):
        assert one[1] >= other[1] - 1e-12


def test_interval_is_numpys_linear_quantile() -> None:
    draws = np.random.default_rng(0).random((3, 2000))
    np.testing.assert_allclose(interval(draws), np.quantile(draws, [0.025, 0.975], axis=1), atol=1e-14)


def test_rank_intervals_are_quantiles_of_counted_ranks() -> None:
    draws = np.round(np.random.default_rng(1).random((7, 2000)), 2)
    rows = np.array([6, 0, 3, 2])
    counted = np.array([[1 + (column > value).sum() for value in column] for column in draws[rows].T])
    low, high = rank_intervals(draws, rows)
    assert low.tolist() == np.quantile(counted, 0.025, axis=0, method="lower").tolist()
    assert high.tolist() == np.quantile(counted, 0.975, axis=0, method="higher").tolist()


def test_tie_groups_walk_down_from_the_leader() -> None:
    rng = np.random.default_rng(0)
    aup = np.array([1.0, 0.99, 0.5, 0.49, 0.1])
    draws = aup[:, None] + rng.normal(0.0, 0.02, size=(5, 2000))
    order = np.array([3, 0, 4, 2, 1])
    assert tie_groups(ranks(aup), draws, np.arange(5)).tolist() == [1, 1, 2, 2, 3]
    assert tie_groups(ranks(aup[order]), draws, order).tolist() == [2, 1, 3, 2, 1]
    low, high = rank_intervals(draws, np.arange(5))
    assert (low[0], high[0], low[4], high[4]) == (1, 2, 5, 5)


def test_tie_groups_of_many_are_those_of_the_plain_walk() -> None:
    rng = np.random.default_rng(2)
    aup = np.sort(rng.random(300))[::-1]
    draws = aup[:, None] + rng.normal(0.0, 0.03, size=(300, 2000))
    plain, leader, group = [], -1, 0
    for entry in range(300):
        if leader >= 0:
            low = np.quantile(draws[leader] - draws[entry], 0.025, method="lower")
            high = np.quantile(draws[leader] - draws[entry], 0.975, method="higher")
        if leader < 0 or not low <= 0 <= high:
            leader, group = entry, group + 1
        plain.append(group)
    assert 3 < group < 200
    assert tie_groups(ranks(aup), draws, np.arange(300)).tolist() == plain


def test_leave_one_task_out() -> None:
    parts = np.array([[0.9, 0.1], [0.1, 0.2], [0.2, 0.0]])
    low, high = leave_one_out(parts)
    assert low.tolist() == [1, 1, 2]
    assert high.tolist() == [2, 3, 3]
    assert leave_one_out(parts[:, :1])[0].tolist() == [1, 3, 2]


def test_interval_of_a_constant() -> None:
    low, high = interval(np.full((1, 100), 0.3))
    assert (low[0], high[0]) == (0.3, 0.3)


POINT = st.tuples(st.sampled_from([0.0, 1.0, 2.0, 2.5, np.nan]), st.sampled_from([0.0, 0.5, 0.75, 1.0]))


@given(st.lists(POINT, max_size=12))
def test_frontier_is_what_nothing_dominates(points: list[tuple[float, float]]) -> None:
    def beaten(cost: float, area: float) -> bool:
        return any(c <= cost and a >= area and (c < cost or a > area) for c, a in points)

    expected = [not np.isnan(cost) and not beaten(cost, area) for cost, area in points]
    cost, area = np.array(points).reshape(-1, 2).T
    assert frontier(cost, area).tolist() == expected


@pytest.mark.parametrize("columns", [1, 2])
def test_the_draws_of_an_entry_are_the_same_alone_and_among_others(columns: int) -> None:
    names = tuple(f"entry-{number}" for number in range(39))  # more than a block, and not a whole number of groups
    parts = -np.sort(-np.random.default_rng(1).random((39, 3, 4, columns)), axis=2)
    together = frozen_draws(names, parts)
    for row in (0, 3, 4, 31, 32, 38):
        alone = frozen_draws(names[row : row + 1], parts[row : row + 1])
        assert together.aup is not None and alone.aup is not None
        assert np.array_equal(together.aup[:, row], alone.aup[:, 0])
        assert np.array_equal(together.low[:, :, row], alone.low[:, :, 0])
        assert np.array_equal(together.high[:, :, row], alone.high[:, :, 0])
