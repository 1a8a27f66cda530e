"""Rankings: a plan -> frames in the shape of the published tables.

Takes who is shown, in which values, against which yardstick; gives the tables board, task_scores, profiles, domains,
tasks, costs, conduct and constants of one reading. Never decides what a value is (scoring.tables) or what it is
measured against (scoring.yardstick).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from harness.schema.prices import PriceTable
from scoring.measure import Measured, measure
from scoring.pareto import frontier
from scoring.profiles import best_of, step_curves
from scoring.stats import DRAWS
from scoring.tables import SEEDS, Grid, Looks, Source, choose, frame, replace_relation, shapes
from scoring.vocabulary import BASELINE, COLUMNS, SCORING_VERSION, BoardId, Column, Reading
from scoring.yardstick import Season, Yardstick


@dataclass(frozen=True)
class Plan:
    """One ranking to compute. `chosen`: entry_no of everyone on it, in the grid's order. `not_ranked`: entry -> why.

    `preview`: the entry that is only looked at; `scores`: the kinds of score that are ranked.
    """

    id: BoardId
    reading: Reading
    title: str
    yard: Yardstick
    chosen: Sequence[int]
    grid: Grid
    looks: Looks
    source: Source
    prices: PriceTable
    prices_day: str
    season: Season | None = None
    not_ranked: Mapping[str, str] = field(default_factory=dict)
    preview: str | None = None
    caveats: tuple[str, ...] = ()
    scores: tuple[Column, ...] = COLUMNS


@dataclass(frozen=True)
class Ranking:
    """What came out: the plan, and its tables by name."""

    plan: Plan
    tables: Mapping[str, pl.DataFrame]

    def table(self, name: str, score: Column | None = None) -> pl.DataFrame:
        """One table, or of it the rows of one kind of score."""
        rows = self.tables[name]
        return rows if score is None else rows.filter(pl.col("score") == score)


def rank(db: duckdb.DuckDBPyConnection, plan: Plan) -> Ranking:
    """Compute one plan. Rows are the plan's entries and the baseline, in the order of their names."""
    ranked = np.array([name not in plan.not_ranked for name in plan.grid.entries], dtype=bool)
    choose(db, plan.chosen, plan.yard)
    replace_relation(db, "prices", price_frame(plan.prices))
    with ThreadPoolExecutor(1) as beside:
        used = beside.submit(_used, db.cursor(), plan)
        measured, tau_max = measure(plan.grid, plan.yard, plan.reading, ranked, plan.scores)
        costs, conduct = used.result()
    per_score: dict[str, Callable[[Plan, Measured], pl.DataFrame]] = {
        "board": lambda plan, measured: _board(plan, measured, costs),
        "task_scores": _scores,
        "profiles": lambda plan, measured: _curves(plan, measured, tau_max),
        "domains": _domains,
    }
    made = {
        name: [make(plan, measured[score]).with_columns(score=pl.lit(score)) for score in plan.scores]
        for name, make in per_score.items()
    }
    made |= {"tasks": [_tasks(plan, measured)], "costs": [costs], "conduct": [conduct]}
    made |= {"constants": [_constants(plan, tau_max)]}
    return Ranking(plan, {name: _finish(plan, name, parts) for name, parts in made.items()})


def _used(db: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables costs and conduct: relations only, so they are made while the arrays are ranked."""
    costs = frame(db, "costs", seeds=SEEDS, day=plan.prices_day)
    return costs, frame(db, "conduct", seeds=SEEDS, source=plan.source)


def price_frame(table: PriceTable) -> pl.DataFrame:
    """One row a name of a model and a day from which its price holds; USD per million tokens."""
    kinds = ("input_usd", "output_usd", "cached_usd", "cache_write_usd")
    rows = [
        (model, price.since, *(getattr(price, kind) for kind in kinds))
        for price in table.prices
        for model in price.models
    ]
    types = {"model": pl.String, "since": pl.String, **dict.fromkeys(kinds, pl.Float64)}
    return pl.DataFrame(rows, schema=types, orient="row")


def _finish(plan: Plan, name: str, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    shape = shapes()[name]
    named = (rows.with_columns(board=pl.lit(plan.id), reading=pl.lit(plan.reading)) for rows in parts)
    return pl.concat([shape.fit(rows) for rows in named]).sort(shape.order)


def _names(plan: Plan) -> list[str]:
    return [*plan.grid.entries, BASELINE]


def _shown(measured: Measured) -> NDArray[np.bool_]:
    """Rows that stand somewhere: ranked, also with nothing but failures, or with a value on some task."""
    return np.asarray((measured.rank > 0) | ~np.isnan(measured.values).all(axis=(1, 2)))


def _board(plan: Plan, measured: Measured, costs: pl.DataFrame) -> pl.DataFrame:
    names = _names(plan)
    kinds = ["preview" if name == plan.preview else "entry" for name in plan.grid.entries]
    shown = _shown(measured)
    floats = {
        name: _nan_to_null(np.where(shown, getattr(measured, name), np.nan))
        for name in ("aup", "aup_low", "aup_high", "mean_aup", "mean_low", "mean_high", "borda")
    }
    places = {
        name: _zero_to_null(getattr(measured, source))
        for name, source in (
            ("rank", "rank"),
            ("rank_low", "rank_low"),
            ("rank_high", "rank_high"),
            ("tie_group", "tie_group"),
            ("leave_one_out_low", "out_low"),
            ("leave_one_out_high", "out_high"),
        )
    }
    valid = [*plan.looks.valid.sum(axis=(1, 2)).tolist(), 0]
    expected = [len(plan.yard.rules) * SEEDS] * len(plan.grid.entries)
    rows = pl.DataFrame(
        {"entry": names, "kind": [*kinds, BASELINE], "valid_episodes": valid, "episodes": [*expected, 0]}
        | floats
        | places
    )
    usd = costs.select("entry", cost_usd="usd_per_episode")
    rows = rows.join(usd, on="entry", how="left", maintain_order="left")
    cost = rows["cost_usd"].fill_null(np.nan).to_numpy()
    area = rows.select(pl.when(pl.col("rank").is_not_null()).then("aup").fill_null(np.nan)).to_series().to_numpy()
    return rows.with_columns(frontier=frontier(cost, area))


def _scores(plan: Plan, measured: Measured) -> pl.DataFrame:
    rules, grid, looks = plan.yard.rules, plan.grid, plan.looks
    rows, tasks = measured.scores.shape
    baseline = np.array([np.nan if rule.baseline is None else rule.baseline for rule in rules])
    scores, maximise = measured.scores, plan.yard.maximise
    better = np.where(maximise, scores > baseline, scores < baseline)
    known = ~np.isnan(scores) & ~np.isnan(baseline)
    gap = grid.last - looks.told
    counted = (~np.isnan(gap)).sum(axis=2)
    mean_gap = np.where(counted > 0, np.nansum(gap, axis=2) / np.maximum(counted, 1), np.nan)
    budget = np.array([-1 if rule.validations is None else rule.validations for rule in rules])
    one_look = best_of(np.where(looks.calls <= budget[:, None], grid.last, np.nan), maximise)
    return pl.DataFrame(
        {
            "entry": np.repeat(np.array(_names(plan), dtype=object), tasks).tolist(),
            "task": [rule.id for rule in rules] * rows,
            "metric": [rule.metric for rule in rules] * rows,
            "value": _nan_to_null(scores.ravel()),
            "seeds": pl.Series(measured.values.reshape(-1, SEEDS)).arr.to_list().list.eval(pl.element().fill_nan(None)),
            "mean": _nan_to_null(measured.seed_mean.ravel()),
            "stderr": _nan_to_null(measured.seed_stderr.ravel()),
            "one_look": _nan_to_null(_with_baseline(one_look, np.nan).ravel()),
            "gap": _nan_to_null(_with_baseline(mean_gap, np.nan).ravel()),
            "validate_calls": _with_baseline(looks.calls.sum(axis=2), 0).ravel(),
            "valid_episodes": _with_baseline(looks.valid.sum(axis=2), 0).ravel(),
            "log10_ratio": _nan_to_null(measured.log_ratios.ravel()),
            "feasible": measured.feasible.ravel(),
            "beats_baseline": pl.Series(better.ravel()).set(pl.Series(~known.ravel()), None),
            "contribution": measured.parts.ravel(),
        }
    )


def _curves(plan: Plan, measured: Measured, tau_max: float) -> pl.DataFrame:
    shown = np.flatnonzero(_shown(measured))
    row, tau, rho = step_curves(measured.log_ratios[shown], tau_max)
    names = np.array(_names(plan), dtype=object)[shown[row]]
    return pl.DataFrame({"entry": names.tolist(), "tau": tau, "rho": rho})


def _domains(plan: Plan, measured: Measured) -> pl.DataFrame:
    names = _names(plan)
    parts = [
        pl.DataFrame({"entry": names, "domain": [domain] * len(names), "aup": areas})
        for domain, areas in measured.domains.items()
    ]
    return pl.concat(parts)


def _tasks(plan: Plan, measured: Mapping[Column, Measured]) -> pl.DataFrame:
    rules = plan.yard.rules
    entries = np.array([name != plan.preview for name in plan.grid.entries], dtype=bool)
    entries &= ~np.isnan(plan.grid.best).all(axis=(1, 2))
    baseline = np.array([np.nan if rule.baseline is None else rule.baseline for rule in rules])
    values = best_of(plan.grid.last[entries], plan.yard.maximise)
    beaten = np.where(plan.yard.maximise, values > baseline, values < baseline).sum(axis=0)
    return pl.DataFrame(
        {
            "task": [rule.id for rule in rules],
            "title": [rule.title for rule in rules],
            "domain": [rule.domain for rule in rules],
            "metric": [rule.metric for rule in rules],
            "direction": [rule.direction for rule in rules],
            "transform": [rule.transform for rule in rules],
            "baseline": [rule.baseline for rule in rules],
            "baseline_source": [rule.baseline_source for rule in rules],
            **{f"{score}_reference": [rule.reference for rule in rules] for score in COLUMNS},
            **{f"{score}_reference": _nan_to_null(found.reference) for score, found in measured.items()},
            "reference_source": [rule.reference_source for rule in rules],
            "beaten_by": beaten,
            "entries": [int(entries.sum())] * len(rules),
        }
    )


def _constants(plan: Plan, tau_max: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "title": [plan.title],
            "tau_max": [tau_max],
            "eps": [plan.yard.eps],
            "seeds": [SEEDS],
            "draws": [0 if plan.reading == "mlgym-compat" else DRAWS],
            "season": [plan.season.name if plan.season else None],
            "frozen": [plan.season.frozen if plan.season else None],
            "prices": [plan.prices_day],
            "scoring_version": [SCORING_VERSION],
        }
    )


def _with_baseline(values: np.ndarray, of_baseline: float) -> np.ndarray:
    return np.concatenate([values, np.full((1, *values.shape[1:]), of_baseline, dtype=values.dtype)])


def _nan_to_null(values: np.ndarray) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def _zero_to_null(values: np.ndarray) -> pl.Series:
    whole = pl.Series(values, dtype=pl.Int32)
    return whole.set(whole == 0, None)
