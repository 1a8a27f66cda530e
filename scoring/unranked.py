"""Tasks of a season that count for no rank: why not, and what was handed in on them.

Takes a connection with the facts and a Plan, gives records. Never hides a task, never ranks by one.
"""

from __future__ import annotations

import duckdb

from scoring.leaderboard import UnrankedTask
from scoring.plan import Plan
from scoring.profiles import best_of
from scoring.tables import choose, grid
from scoring.yardstick import Yardstick


def unranked_tasks(db: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[UnrankedTask, ...]:
    """The season's tasks that count for no rank: shown with their values, never hidden. A preview has none."""
    rules = tuple(rule for rule in plan.season.tasks if not rule.rankable) if plan.season and not plan.preview else ()
    if not rules:
        return ()
    yard = Yardstick(rules, plan.yard.eps, None)
    choose(db, plan.chosen, yard)
    values, _ = grid(db, plan.grid.entries, yard, plan.source)
    best = best_of(values.last, yard.maximise)
    return tuple(
        UnrankedTask(
            id=rule.id,
            title=rule.title,
            metric=rule.metric,
            direction=rule.direction,
            reason=rule.baseline_source,
            values={
                entry: float(value) for entry, value in zip(values.entries, best[:, at], strict=True) if value == value
            },
        )
        for at, rule in enumerate(rules)
    )
