"""The tables of one ranking: what was measured -> frames in the shape of columns.toml, each made when it is asked for.

Takes a plan, its arrays and what its entries used; gives board, task_scores, profiles, domains, tasks, costs, conduct
and constants. Never ranks, never decides what a value is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.measure import Measured
from scoring.pareto import frontier
from scoring.plan import Plan
from scoring.profiles import Bools, Floats, best_of, step_curves
from scoring.stats import DRAWS, SEEDS
from scoring.tables import shapes
from scoring.vocabulary import BASELINE, COLUMNS, SCORING_VERSION, Column


class Tables(Mapping[str, pl.DataFrame]):
    """The published tables of one ranking by name. `gymboard rank` reads half of them."""

    def __init__(
        self,
        plan: Plan,
        measured: Mapping[Column, Measured],
        tau_max: float,
        costs: pl.DataFrame,
        conduct: pl.DataFrame,
    ) -> None:
        self._plan = plan
        self._made: dict[str, pl.DataFrame] = {}

        self._measured = measured
        self._each: dict[str, Callable[[Measured], pl.DataFrame]] = {
            "board": lambda one: _board(plan, one, costs),
            "task_scores": lambda one: _scores(plan, one),
            "profiles": lambda one: _curves(plan, one, tau_max),
            "domains": lambda one: _domains(plan, one),
        }
        self._whole: dict[str, Callable[[], pl.DataFrame]] = {
            "tasks": lambda: _tasks(plan, measured),
            "costs": lambda: costs,
            "conduct": lambda: conduct,
            "constants": lambda: _constants(plan, tau_max),
        }

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self._made:
            self._made[name] = self._table(name, self._plan.scores)
        return self._made[name]

    def part(self, name: str, score: Column) -> pl.DataFrame:
        """The rows of one kind of score, in any order and not kept: the largest tables are too much as a whole."""
        return shapes()[name].fit(self._each[name](self._measured[score]))

    def _table(self, name: str, scores: Sequence[Column]) -> pl.DataFrame:
        if name in self._whole:
            return _joined(self._plan, name, [self._whole[name]()])
        made = (self._each[name](self._measured[score]).with_columns(score=pl.lit(score)) for score in scores)
        return _joined(self._plan, name, made)

    def let_go(self, *names: str) -> None:
        """Keep none of these tables, or none at all: who asks again has it made again."""
        for name in names or [*self._made]:
            self._made.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._each or name in self._whole

    def __iter__(self) -> Iterator[str]:
        return chain(self._each, self._whole)

    def __len__(self) -> int:
        return len(self._each) + len(self._whole)


def _joined(plan: Plan, name: str, parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    shape = shapes()[name]
    named = (rows.with_columns(board=pl.lit(plan.id), reading=pl.lit(plan.reading)) for rows in parts)
    return pl.concat([shape.fit(rows) for rows in named]).sort(shape.order)


def _names(plan: Plan) -> list[str]:
    return [*plan.grid.entries, BASELINE]


def _shown(plan: Plan, measured: Measured) -> NDArray[np.bool_]:
    """Rows that have an AUP: ranked, also with nothing but failures, or with a value on some task; none is partial."""
    whole = np.array([name not in plan.partial for name in _names(plan)], dtype=bool)
    return np.asarray((measured.rank > 0) | (whole & ~np.isnan(measured.values).all(axis=(1, 2))))


def _board(plan: Plan, measured: Measured, costs: pl.DataFrame) -> pl.DataFrame:
    names = _names(plan)
    kinds = ["preview" if name == plan.preview else "entry" for name in plan.grid.entries]
    shown = _shown(plan, measured)
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
    searched = ~np.isnan(plan.yard.tuner)
    beats, _ = _beats(measured.scores, plan.yard.tuner, plan.yard.maximise)
    rows = pl.DataFrame(
        {"entry": names, "kind": [*kinds, BASELINE], "valid_episodes": valid, "episodes": [*expected, 0]}
        | {"beats_tuner": beats.sum(axis=1) if searched.any() else None, "tuner_tasks": int(searched.sum())}
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
            "beats_baseline": _true_or_null(*_beats(scores, baseline, maximise)),
            "beats_tuner": _true_or_null(*_beats(scores, plan.yard.tuner, maximise)),
            "contribution": measured.parts.ravel(),
        }
    )


def _beats(scores: Floats, line: Floats, maximise: Bools) -> tuple[Bools, Bools]:
    """Which of scores (rows, tasks) are better than line (tasks,), and where both are known."""
    return np.where(maximise, scores > line, scores < line), ~np.isnan(scores) & ~np.isnan(line)


def _true_or_null(said: Bools, known: Bools) -> pl.Series:
    return pl.Series(said.ravel()).set(pl.Series(~known.ravel()), None)


def _curves(plan: Plan, measured: Measured, tau_max: float) -> pl.DataFrame:
    shown = np.flatnonzero(_shown(plan, measured))
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
    ran = np.array([name not in plan.partial for name in plan.grid.entries], dtype=bool)[entries, None]
    ran = ran | ~np.isnan(plan.grid.best[entries]).all(axis=2)
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
            "tuner": [rule.tuner_value for rule in rules],
            "tuner_source": [rule.tuner_source for rule in rules],
            "beaten_by": beaten,
            "entries": ran.sum(axis=0),
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
