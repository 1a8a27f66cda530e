"""Boards: a plan and a grid -> one Board record.

Takes who is shown, in which values, against which yardstick; gives rows, curves, frontier and sentences. Never decides
what a value is (scoring.tables) or what it is measured against (scoring.yardstick).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.schema.prices import PriceTable
from scoring.costs import cost_of
from scoring.leaderboard import (
    BASELINE,
    Board,
    BoardId,
    BoardTask,
    Column,
    Constants,
    Curve,
    Interval,
    ParetoPoint,
    Reading,
    Row,
    Standing,
)
from scoring.load import Loaded
from scoring.measure import COLUMNS, Measured, measure
from scoring.pareto import frontier
from scoring.profiles import step_curve
from scoring.rows import baseline_row, entry_row, number
from scoring.sentences import sentences
from scoring.stats import DRAWS
from scoring.tables import SEEDS, Grid
from scoring.yardstick import Season, Yardstick


@dataclass(frozen=True)
class Plan:
    """One board to build. `not_ranked`: entry -> why. `preview`: the entry that is only looked at."""

    id: BoardId
    reading: Reading
    title: str
    yard: Yardstick
    entries: Sequence[Loaded]
    grid: Grid
    prices: PriceTable
    prices_day: str
    season: Season | None = None
    not_ranked: Mapping[str, str] = field(default_factory=dict)
    preview: str | None = None
    caveats: tuple[str, ...] = ()


def build_board(plan: Plan) -> Board:
    """The whole board of one plan."""
    ranked = np.array([name not in plan.not_ranked for name in plan.grid.entries], dtype=bool)
    measured, tau_max = measure(plan.grid, plan.yard, plan.reading, ranked)
    rows = _rows(plan, measured)
    tasks = _tasks(plan, measured, rows)
    return Board(
        id=plan.id,
        reading=plan.reading,
        title=plan.title,
        preview=plan.preview is not None,
        constants=_constants(plan, tau_max),
        tasks=tasks,
        rows=rows,
        curves=_curves(plan, measured, tau_max, rows),
        pareto=_pareto(rows),
        sentences=sentences(plan.reading, rows, tasks),
        caveats=plan.caveats,
    )


def _rows(plan: Plan, measured: Mapping[Column, Measured]) -> tuple[Row, ...]:
    ids = [one.bundle.entry.id for one in plan.entries]
    places = {column: [_standing(measured[column], row) for row in range(len(ids) + 1)] for column in COLUMNS}
    rows = [
        entry_row(
            one,
            index,
            plan.yard,
            measured,
            _shown(places, index, measured),
            kind="preview" if name == plan.preview else "entry",
            cost=cost_of(one.bundle, plan.prices, plan.prices_day),
            not_ranked_because=plan.not_ranked.get(name),
        )
        for index, (name, one) in enumerate(zip(ids, plan.entries, strict=True))
    ]
    rows.append(baseline_row(plan.yard, measured, {column: places[column][-1] for column in COLUMNS}))
    return tuple(sorted(rows, key=_order))


def _standing(measured: Measured, row: int) -> Standing:
    """One row of the arrays as a record."""
    out = int(measured.out_low[row]), int(measured.out_high[row])
    return Standing(
        rank=int(measured.rank[row]) or None,
        rank_low=int(measured.rank_low[row]) or None,
        rank_high=int(measured.rank_high[row]) or None,
        tie_group=int(measured.tie_group[row]) or None,
        aup=float(measured.aup[row]),
        aup_interval=_interval(measured.aup_low[row], measured.aup_high[row]),
        mean_aup=float(measured.mean_aup[row]),
        mean_interval=_interval(measured.mean_low[row], measured.mean_high[row]),
        borda=float(measured.borda[row]),
        leave_one_out=out if measured.rank[row] else None,
        by_domain={domain: float(areas[row]) for domain, areas in measured.domains.items()},
    )


def _interval(low: float, high: float) -> Interval | None:
    return None if np.isnan(low) else Interval(low=float(low), high=float(high))


def _shown(
    places: Mapping[Column, Sequence[Standing]], index: int, measured: Mapping[Column, Measured]
) -> dict[Column, Standing]:
    """Nothing stands anywhere that has no value at all."""
    if np.isnan(measured["best"].values[index]).all():
        return {}
    return {column: places[column][index] for column in COLUMNS}


def _order(row: Row) -> tuple[bool, bool, int, float, str]:
    last = row.standings.get("last")
    rank = last.rank if last else None
    return (row.kind == "baseline", rank is None, rank or 0, -last.aup if last else 0.0, row.id)


def _tasks(plan: Plan, measured: Mapping[Column, Measured], rows: Sequence[Row]) -> tuple[BoardTask, ...]:
    entries = [row for row in rows if row.kind == "entry" and row.standings]
    return tuple(
        BoardTask(
            id=rule.id,
            title=rule.title,
            domain=rule.domain,
            metric=rule.metric,
            direction=rule.direction,
            baseline=rule.baseline,
            baseline_source=rule.baseline_source,
            reference=number(measured["last"].reference[index]),
            best_reference=number(measured["best"].reference[index]),
            reference_source=rule.reference_source,
            rankable=rule.rankable,
            beaten_by=sum(row.cells[index].last.beats_baseline is True for row in entries),
            entries=len(entries),
        )
        for index, rule in enumerate(plan.yard.rules)
    )


def _constants(plan: Plan, tau_max: float) -> Constants:
    return Constants(
        tau_max=tau_max,
        eps=plan.yard.eps,
        seeds=SEEDS,
        draws=0 if plan.reading == "mlgym-compat" else DRAWS,
        season=plan.season.name if plan.season else None,
        frozen=plan.season.frozen if plan.season else None,
        prices=plan.prices_day,
    )


def _curves(plan: Plan, measured: Mapping[Column, Measured], tau_max: float, rows: Sequence[Row]) -> tuple[Curve, ...]:
    ids = [*(one.bundle.entry.id for one in plan.entries), BASELINE]
    curves = []
    for row in (row for row in rows if row.standings):
        for column in COLUMNS:
            tau, rho = step_curve(measured[column].log_ratios[ids.index(row.id)], tau_max)
            curves.append(Curve(row=row.id, column=column, tau=tuple(tau.tolist()), rho=tuple(rho.tolist())))
    return tuple(curves)


def _pareto(rows: Sequence[Row]) -> tuple[ParetoPoint, ...]:
    shown = [row for row in rows if row.kind != "baseline" and row.standings]
    points = []
    for column in COLUMNS:
        cost = np.array([row.cost.usd_per_episode for row in shown], dtype=np.float64)
        flags = frontier(cost, np.array([row.standings[column].aup for row in shown])).tolist()
        points += [
            ParetoPoint(
                row=row.id,
                column=column,
                cost_usd=row.cost.usd_per_episode,
                aup=row.standings[column].aup,
                frontier=flag,
            )
            for row, flag in zip(shown, flags, strict=True)
        ]
    return tuple(points)
