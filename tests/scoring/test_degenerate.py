"""Every degenerate case of a board and its defined answer."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from pydantic import ValidationError

from harness.schema.episode import Verdict
from scoring.measure import COLUMNS, Measured
from scoring.pareto import frontier
from scoring.vocabulary import Reading
from tests.scoring.grids import NAN, grid, measured, rule, yard

TAU = 0.5
PENALTY = np.log10(2 * 1.05)  # of rule(): baseline ratio 2, and 5 % more
READINGS: list[Reading] = ["season", "live", "mlgym-compat"]
COHORT = {"reference": None}


def last(one: dict[str, Measured]) -> Measured:
    return one["last"]  # type: ignore[index]


@pytest.mark.parametrize("direction", ["max", "min"])
def test_no_feasible_method_on_a_task_costs_everyone_the_penalty(direction: str) -> None:
    worse = 0.5 if direction == "max" else 2.0
    one = last(measured(grid([[NAN], [worse]]), yard(rule("a", direction))))
    np.testing.assert_allclose(one.log_ratios[:2], PENALTY)
    assert one.feasible[:, 0].tolist() == [False, False, True]
    assert one.rank.tolist() == [1, 1, 0]


def test_no_feasible_method_in_a_cohort_without_baseline() -> None:
    """The worst feasible ratio is not defined: the penalty is 1 + eps, for all alike."""
    one = last(measured(grid([[NAN], [-1.0]]), yard(rule("a", baseline=None, **COHORT), tau_max=None), "live"))
    np.testing.assert_allclose(one.log_ratios, np.log10(1.05))
    assert not one.feasible.any()
    assert one.rank.tolist() == [1, 1, 0]
    assert one.tie_group.tolist() == [1, 1, 0]
    np.testing.assert_allclose(one.aup_low, one.aup, atol=1e-15)


@pytest.mark.parametrize("reading", READINGS)
def test_everything_missing_everywhere(reading: Reading) -> None:
    tasks = (rule("a"), rule("b", "min"))
    tasks = tasks if reading == "season" else tuple(r.model_copy(update=COHORT) for r in tasks)
    both = measured(grid(np.full((3, 2), NAN)), yard(*tasks, tau_max=TAU if reading == "season" else None), reading)
    for one in both.values():
        assert np.isnan(one.scores[:3]).all()
        assert np.isnan(one.seed_mean[:3]).all()
        assert np.isfinite(one.aup).all()
        assert one.rank.tolist() == [1, 1, 1, 0]
        if reading != "mlgym-compat":
            assert one.tie_group.tolist() == [1, 1, 1, 0]
            assert one.borda.tolist() == [4.0, 4.0, 4.0, 8.0]
            np.testing.assert_array_equal(one.aup_low[:3], one.aup_high[:3])


def test_a_zero_has_no_ratio_to_a_positive_frozen_reference() -> None:
    """To maximise it is infinitely bad; to minimise it would be infinitely good, which no area can express: both are
    infeasible, the second until the metric declares a transform."""
    one = last(measured(grid([[0.0, 0.0]]), yard(rule("a"), rule("b", "min"))))
    assert one.feasible[0].tolist() == [False, False]
    np.testing.assert_allclose(one.log_ratios[0], PENALTY)


def test_a_zero_in_a_cohort() -> None:
    """To minimise it is the reference, and no other has a ratio to it; to maximise it is infeasible beside others."""
    tasks = (rule("a", baseline=None, **COHORT), rule("b", "min", baseline=None, **COHORT))
    one = last(measured(grid([[0.0, 0.0], [2.0, 2.0]]), yard(*tasks, tau_max=None), "live"))
    np.testing.assert_allclose(10 ** one.log_ratios[:2], [[1.05, 1.0], [1.0, 1.05]])
    assert one.feasible[:2].tolist() == [[False, True], [True, False]]
    np.testing.assert_allclose(one.aup_low, one.aup, atol=1e-15)


def test_a_cohort_of_zeros_is_level() -> None:
    tasks = (rule("a", baseline=None, **COHORT), rule("b", "min", baseline=None, **COHORT))
    one = last(measured(grid([[0.0, 0.0], [0.0, 0.0]]), yard(*tasks, tau_max=None), "live"))
    np.testing.assert_array_equal(one.log_ratios[:2], 0.0)
    np.testing.assert_allclose(one.aup_low[:2], one.aup[:2], atol=1e-15)
    assert one.rank[:2].tolist() == [1, 1]


@pytest.mark.parametrize("reference", [0.0, -1.0, None])
def test_a_frozen_reference_that_is_not_positive_counts_nothing(reference: float | None) -> None:
    """Neither ratio nor penalty is defined: the task adds 0, except for a zero against a reference of zero."""
    one = last(measured(grid([[1.5], [3.0], [NAN]]), yard(rule("a", reference=reference))))
    np.testing.assert_array_equal(one.aup, 0.0)
    assert not one.feasible.any()
    assert one.rank.tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("reading", READINGS)
def test_negative_scores_are_infeasible_and_not_an_error(reading: Reading) -> None:
    more = {} if reading == "season" else COHORT
    board = yard(rule("a", **more), rule("b", "min", **more), tau_max=TAU if reading == "season" else None)
    one = last(measured(grid([[-3.0, -3.0], [1.5, 0.7]]), board, reading))
    assert one.feasible.tolist() == [[False, False], [True, True], [True, True]]
    assert one.rank[:2].tolist() == [2, 1]
    assert np.isfinite(one.aup).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_refused_when_it_is_read(value: float) -> None:
    with pytest.raises(ValidationError):
        Verdict(split="sealed", metrics={"r2": value}, stderr={}, grader_version="1.0.0", duration_s=1.0)


@pytest.mark.parametrize("reading", ["season", "live"])
def test_one_entry_alone(reading: Reading) -> None:
    more = {} if reading == "season" else COHORT
    both = measured(grid([[1.5]]), yard(rule("a", **more), tau_max=TAU if reading == "season" else None), reading)
    for one in both.values():
        places = (one.rank, one.rank_low, one.rank_high, one.tie_group, one.out_low, one.out_high)
        assert [values.tolist() for values in places] == [[1, 0]] * 6


def test_one_entry_without_baseline_is_its_own_reference() -> None:
    one = last(measured(grid([[3.0]]), yard(rule("a", baseline=None, **COHORT), tau_max=None), "live"))
    assert one.log_ratios[0, 0] == 0.0
    assert one.reference.tolist() == [3.0]
    assert one.aup[0] > one.aup[1]


@pytest.mark.parametrize("reading", READINGS)
def test_no_entries_leaves_the_baseline(reading: Reading) -> None:
    more = {} if reading == "season" else COHORT
    board = yard(rule("a", **more), tau_max=TAU if reading == "season" else None)
    for one in measured(grid(np.zeros((0, 1, 4))), board, reading).values():
        assert one.aup.shape == (1,)
        assert one.rank.tolist() == [0]
        assert one.feasible.tolist() == [[True]]


def test_nobody_ranked_leaves_everyone_shown() -> None:
    one = last(measured(grid([[1.5], [1.7]]), yard(rule("a")), ranked=[False, False]))
    assert one.rank.tolist() == one.tie_group.tolist() == one.out_high.tolist() == [0, 0, 0]
    assert (one.aup_low > 0).all()


def test_who_is_not_ranked_takes_no_rank_from_others() -> None:
    one = last(measured(grid([[1.9], [1.8], [1.7]]), yard(rule("a")), ranked=[False, True, True]))
    assert one.rank.tolist() == [0, 1, 2, 0]
    assert one.rank_high.tolist() == [0, 1, 2, 0]


def test_no_baseline_makes_nothing_worse_than_it_and_nothing_lost_beyond_the_task() -> None:
    one = last(measured(grid([[0.9], [NAN]]), yard(rule("a", baseline=None))))
    assert one.feasible[:, 0].tolist() == [True, False, False]
    np.testing.assert_allclose(one.log_ratios[:, 0], [np.log10(2.0 / 0.9), TAU, TAU])
    assert one.aup[1] == one.aup[2] == 0.0


@pytest.mark.parametrize("reading", ["season", "live"])
def test_all_tied(reading: Reading) -> None:
    more = {} if reading == "season" else COHORT
    rules = (rule("a", **more), rule("b", "min", **more))
    both = measured(grid([[1.5, 0.7]] * 5), yard(*rules, tau_max=TAU if reading == "season" else None), reading)
    for one in both.values():
        for values in (one.rank, one.rank_low, one.rank_high, one.tie_group, one.out_low, one.out_high):
            assert values.tolist() == [1] * 5 + [0]
        assert set(one.borda[:5]) == {8.0}


def test_of_one_task_nothing_can_be_left_out() -> None:
    one = last(measured(grid([[1.5], [1.9]]), yard(rule("a"))))
    assert one.out_low.tolist() == one.out_high.tolist() == one.rank.tolist() == [2, 1, 0]


def test_a_missing_seed_is_the_worst_pick_and_no_value_of_a_mean() -> None:
    cells = np.array([[[NAN, 2.0, NAN, 1.5]], [[NAN, NAN, NAN, 2.0]]])
    one = last(measured(grid(cells), yard(rule("a"))))
    assert one.scores[:, 0].tolist() == [2.0, 2.0, 1.0]
    assert one.seed_mean[:2, 0].tolist() == [1.75, 2.0]
    assert one.seed_stderr[0, 0] == pytest.approx(0.25)
    assert np.isnan(one.seed_stderr[1, 0])
    np.testing.assert_allclose(one.aup_low[:2], TAU - PENALTY)  # all four picks miss with probability 1/16 and 81/256
    assert one.mean_aup[1] == pytest.approx(TAU / 4 + 3 / 4 * (TAU - PENALTY))


def test_half_shifted_at_its_lower_end_is_a_zero() -> None:
    """Every game lost: (1 - 1)/2 = 0 has no ratio."""
    board = yard(rule("a", transform="half-shifted", baseline=-0.25, reference=0.25))
    one = last(measured(grid([[-1.0], [-0.25], [0.25], [-1.5]]), board))
    assert one.feasible[:, 0].tolist() == [False, True, True, False, True]
    baseline = np.log10(0.625 / 0.375)
    np.testing.assert_allclose(
        one.log_ratios[:, 0], [baseline + np.log10(1.05), baseline, 0.0, baseline + np.log10(1.05), baseline]
    )
    assert one.values[0, 0, 0] == -1.0, "values stay in the task's own unit"


@pytest.mark.parametrize(("direction", "value"), [("max", 4.0), ("min", 0.25)])
def test_beyond_the_reference_counts_above_tau_max(direction: str, value: float) -> None:
    one = last(measured(grid([[value]]), yard(rule("a", direction))))
    assert one.log_ratios[0, 0] == pytest.approx(-np.log10(2.0))
    assert one.aup[0] == pytest.approx(TAU + np.log10(2.0))


def test_a_baseline_better_than_the_reference_makes_its_own_bar() -> None:
    """It has a ratio below 1 itself; who is worse is infeasible, at 5 % more than that."""
    one = last(measured(grid([[3.0], [5.0]]), yard(rule("a", baseline=4.0))))
    assert one.feasible[:, 0].tolist() == [False, True, True]
    np.testing.assert_allclose(10 ** one.log_ratios[:, 0], [0.5 * 1.05, 0.4, 0.5])
    assert one.rank.tolist() == [2, 1, 0]


def test_a_season_needs_its_tau_max() -> None:
    with pytest.raises(ValueError, match="frozen tau_max"):
        measured(grid([[1.0]]), yard(rule("a"), tau_max=None))


def test_mlgym_compat_has_no_intervals() -> None:
    both = measured(grid([[1.5], [1.2]]), yard(rule("a", **COHORT), tau_max=None), "mlgym-compat")
    assert set(both) == set(COLUMNS)
    for one in both.values():
        for field in fields(Measured):
            if field.name in ("aup_low", "aup_high", "mean_low", "mean_high"):
                assert np.isnan(getattr(one, field.name)).all()
            if field.name in ("rank_low", "rank_high", "tie_group"):
                assert not getattr(one, field.name).any()
        assert one.rank.tolist() == [1, 2, 0]


def test_a_frontier_of_nobody_and_of_unknown_costs() -> None:
    assert frontier(np.array([]), np.array([])).tolist() == []
    assert frontier(np.array([NAN, NAN]), np.array([1.0, 2.0])).tolist() == [False, False]
    assert frontier(np.array([NAN, 5.0]), np.array([9.0, 0.1])).tolist() == [False, True]
    assert frontier(np.array([0.0, 0.0]), np.array([1.0, 1.0])).tolist() == [True, True]
