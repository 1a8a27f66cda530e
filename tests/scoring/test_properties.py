"""What must hold of every board, whatever the values: hypothesis looks for a counterexample."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import scoring.threads
from scoring.measure import COLUMNS, Measured
from scoring.profiles import step_curves
from scoring.tables import Grid
from scoring.vocabulary import Reading
from scoring.yardstick import Yardstick
from tests.scoring.grids import DOMAINS, measured, rule, yard

ENTRIES, TASKS = 5, 4
YARD = yard(
    *(rule(f"task-{t}", "max" if t % 2 else "min", domain=DOMAINS[t % 3], baseline=1.0) for t in range(TASKS - 1)),
    rule("blotto", transform="half-shifted", baseline=-0.25, reference=0.25),
)
CELLS = arrays(
    np.float64,
    (2, ENTRIES, TASKS, 4),
    elements=st.floats(0.2, 5.0) | st.sampled_from([np.nan, 0.0, -0.25, -1.0, -3.0, 0.5, 1.0, 2.0]),
)
BOTH = st.sampled_from(["season", "live"])
PER_TASK = ("values", "scores", "seed_mean", "seed_stderr", "log_ratios", "feasible", "parts")
slow = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])


def grid_of(cells: np.ndarray) -> Grid:
    """`best` is no worse than `last` in any cell and seed."""
    maximise = YARD.maximise[:, None]
    best = np.where(maximise, np.fmax(*cells), np.fmin(*cells))
    return Grid(tuple("edcba"), best, cells[1])


def yard_for(reading: Reading, of: Yardstick = YARD) -> Yardstick:
    if reading == "season":
        return of
    return replace(of, tau_max=None, rules=tuple(r.model_copy(update={"reference": None}) for r in of.rules))


def assert_same(one: Measured, other: Measured, rows: list[int], tasks: list[int]) -> None:
    """`other` is `one` with its rows and tasks rearranged, bit for bit."""
    for field in fields(Measured):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name == "domains":
            assert left.keys() == right.keys()
            for domain in left:
                np.testing.assert_array_equal(left[domain][rows], right[domain])
        elif field.name == "reference":
            np.testing.assert_array_equal(left[tasks], right)
        else:
            moved = left[rows][:, tasks] if field.name in PER_TASK else left[rows]
            np.testing.assert_array_equal(moved, right, err_msg=field.name)


@slow
@given(CELLS, st.permutations(range(ENTRIES)), st.permutations(range(TASKS)), BOTH)
def test_order_of_entries_and_tasks_changes_nothing(
    cells: np.ndarray, rows: list[int], tasks: list[int], reading: Reading
) -> None:
    grid = grid_of(cells)
    moved = Grid(tuple(grid.entries[i] for i in rows), grid.best[rows][:, tasks], grid.last[rows][:, tasks])
    rules = replace(YARD, rules=tuple(YARD.rules[t] for t in tasks))
    one = measured(grid, yard_for(reading), reading)
    other = measured(moved, yard_for(reading, rules), reading)
    for column in COLUMNS:
        assert_same(one[column], other[column], [*rows, ENTRIES], tasks)


@slow
@given(CELLS, st.permutations(range(4)), BOTH)
def test_which_seed_is_called_0_changes_no_draw(cells: np.ndarray, seeds: list[int], reading: Reading) -> None:
    grid = grid_of(cells)
    one = measured(grid, yard_for(reading), reading)["last"]
    other = measured(replace(grid, last=grid.last[..., seeds]), yard_for(reading), reading)["last"]
    for name in ("aup", "aup_low", "aup_high", "mean_aup", "mean_low", "mean_high", "rank_low", "rank_high"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@slow
@given(CELLS)
def test_a_season_value_depends_on_nobody_else(cells: np.ndarray) -> None:
    grid = grid_of(cells)
    everyone = measured(grid, YARD)
    for row in range(ENTRIES):
        pair = [row, ENTRIES]
        alone = measured(Grid((grid.entries[row],), grid.best[[row]], grid.last[[row]]), YARD)
        for column in COLUMNS:
            for name in ("aup", "aup_low", "aup_high", "mean_aup", "mean_low", "mean_high", "parts", "log_ratios"):
                left, right = getattr(everyone[column], name)[pair], getattr(alone[column], name)
                np.testing.assert_array_equal(left, right, err_msg=name)


@slow
@given(CELLS, BOTH)
def test_a_dominated_entry_changes_nobody_above_it(cells: np.ndarray, reading: Reading) -> None:
    """One without any value can move no reference; the others keep AUP, interval and rank. Also under live."""
    grid = grid_of(cells)
    nothing = np.full((1, TASKS, 4), np.nan)
    more = Grid((*grid.entries, "zero"), np.concatenate([grid.best, nothing]), np.concatenate([grid.last, nothing]))
    one, other = (measured(g, yard_for(reading), reading) for g in (grid, more))
    for column in COLUMNS:
        for name in ("aup", "aup_low", "aup_high", "rank"):
            left, right = getattr(one[column], name)[:ENTRIES], getattr(other[column], name)[:ENTRIES]
            np.testing.assert_array_equal(left, right, err_msg=name)


@slow
@given(CELLS, st.floats(1e-6, 1e6), BOTH)
def test_a_metrics_unit_changes_no_ratio(cells: np.ndarray, factor: float, reading: Reading) -> None:
    """Task 1 in another unit: its values, baseline and reference scaled alike."""
    grid, at = grid_of(np.abs(cells)), 1
    scaled = {"baseline": factor * 1.0, "reference": factor * 2.0}
    rules = tuple(r.model_copy(update=scaled) if i == at else r for i, r in enumerate(YARD.rules))
    unit = np.where(np.arange(TASKS) == at, factor, 1.0)[:, None]
    one = measured(grid, yard_for(reading), reading)
    other = measured(
        Grid(grid.entries, grid.best * unit, grid.last * unit), yard_for(reading, replace(YARD, rules=rules)), reading
    )
    for column in COLUMNS:
        left, right = one[column], other[column]
        if (left.feasible == right.feasible).all():
            np.testing.assert_allclose(right.log_ratios, left.log_ratios, atol=1e-12)
        near = np.isclose(left.scores[:, at], 1.0, rtol=1e-12)
        np.testing.assert_array_equal(left.feasible[~near, at], right.feasible[~near, at])


@slow
@given(CELLS, BOTH)
def test_aup_is_the_area_of_the_published_curve(cells: np.ndarray, reading: Reading) -> None:
    yardstick = yard_for(reading)
    result = measured(grid_of(cells), yardstick, reading)
    for column in COLUMNS:
        low, high = float(result[column].log_ratios.min()), 0.5
        if reading == "season":
            fine = np.linspace(min(low, 0.0), high, 200_001)
            for row, area in zip(result[column].log_ratios, result[column].aup, strict=True):
                _, tau, rho = step_curves(row[None], high)
                middle = (fine[1:] + fine[:-1]) / 2
                at = np.searchsorted(tau, middle, side="right") - 1
                heights = np.where(at >= 0, rho[at], 0.0)
                assert heights.sum() * (fine[1] - fine[0]) == pytest.approx(area, abs=5e-5)
        np.testing.assert_allclose(result[column].parts.sum(axis=1), result[column].aup, atol=1e-12)


@slow
@given(CELLS.map(lambda cells: np.where(cells > 0.0, cells, np.nan)))
def test_the_ceiling_is_no_lower_than_what_was_handed_in(cells: np.ndarray) -> None:
    """Season: per cell, per draw and in the mean. (Not with scores to minimise of 0 or less: they have no ratio.)"""
    result = measured(grid_of(cells), YARD)
    for name in ("aup", "aup_low", "aup_high", "mean_aup", "mean_low", "mean_high", "parts"):
        assert (getattr(result["best"], name) >= getattr(result["last"], name) - 1e-12).all(), name


@slow
@given(CELLS, BOTH)
def test_ranks_follow_aup_and_their_intervals_contain_them(cells: np.ndarray, reading: Reading) -> None:
    result = measured(grid_of(cells), yard_for(reading), reading)
    for one in result.values():
        area, rank = one.aup[:ENTRIES], one.rank[:ENTRIES]
        for i in range(ENTRIES):
            assert rank[i] == 1 + (area > area[i] + 1e-12).sum()
        assert (one.rank_low[:ENTRIES] <= rank).all()
        assert (rank <= one.rank_high[:ENTRIES]).all()
        assert (one.aup_low <= one.aup_high).all()
        assert one.rank[-1] == one.tie_group[-1] == 0
        order = np.argsort(rank, kind="stable")
        assert one.tie_group[order[0]] == 1
        if np.unique(rank).size == ENTRIES:
            assert set(np.diff(one.tie_group[order])) <= {0, 1}


@slow
@given(CELLS.map(lambda cells: np.where(cells > 0.0, cells, np.nan)))
def test_a_resampled_best_never_gains(cells: np.ndarray) -> None:
    """So the season's interval lies at or below AUP; an entry whose seeds agree has no interval at all."""
    for one in measured(grid_of(cells), YARD).values():
        assert (one.aup_high <= one.aup + 1e-12).all()
        constant = (one.values == one.values[..., :1]).all(axis=(1, 2))
        np.testing.assert_array_equal(one.aup_low[constant], one.aup[constant])
        assert one.aup_low[-1] == one.aup_high[-1] == one.aup[-1] == one.mean_low[-1] == one.mean_aup[-1]


@pytest.mark.parametrize("reading", ["season", "live"])
def test_the_number_of_threads_changes_nothing(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    values = np.exp(rng.normal(0.0, 0.3, (150, TASKS, 4)))
    grid = Grid(tuple(f"entry-{i}" for i in range(150)), values, values * 0.9)
    found = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(scoring.threads, "WORKERS", workers)
        found.append(measured(grid, yard_for(reading), reading)["last"])
    for other in found[1:]:
        assert_same(found[0], other, list(range(151)), list(range(TASKS)))


def test_entries_of_equal_rank_walk_into_tie_groups_by_name() -> None:
    """Same best seeds, other seeds apart: who leads decides who is told apart, so the order of rows must not."""
    steady, lucky = [1.9] * 4, [1.9, 1.0, 1.0, 1.0]
    third = [1.8, 1.7, 1.7, 1.7]
    cells = np.array([[steady], [lucky], [third]])
    names = ("b", "a", "c")
    board = yard(rule("task"))
    groups = []
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        found = measured(Grid(tuple(names[i] for i in order), cells[order], cells[order]), board)["last"]
        groups.append({names[i]: int(found.tie_group[at]) for at, i in enumerate(order)})
    assert groups[0] == groups[1] == groups[2] == {"a": 1, "b": 1, "c": 1}
