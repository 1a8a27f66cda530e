"""Rankings: a plan -> frames in the shape of the published tables.

Takes who is shown, in which values, against which yardstick; measures them and gives the tables of one reading. Never
decides what a value is (scoring.tables) or what it is measured against (scoring.yardstick).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from harness.schema.prices import PriceTable
from scoring.frames import Tables
from scoring.measure import measure
from scoring.plan import Plan
from scoring.tables import SEEDS, choose, frame, give_back, replace_relation
from scoring.threads import beside
from scoring.vocabulary import Column


@dataclass(frozen=True)
class Ranking:
    """What came out: the plan, and its tables by name."""

    plan: Plan
    tables: Tables

    def table(self, name: str, score: Column | None = None) -> pl.DataFrame:
        """One table, or of it the rows of one kind of score."""
        rows = self.tables[name]
        return rows if score is None else rows.filter(pl.col("score") == score)


def rank(db: duckdb.DuckDBPyConnection, plan: Plan, *, sparing: bool = False) -> Ranking:
    """Compute one plan. Rows are the plan's entries and the baseline, in the order of their names. `sparing`: in less
    memory, one thing after the other."""
    ranked = np.array([name not in plan.not_ranked for name in plan.grid.entries], dtype=bool)
    choose(db, plan.chosen, plan.yard)
    replace_relation(db, "prices", price_frame(plan.prices))
    with beside(sparing) as thread:
        used = thread.submit(_used, db.cursor(), plan)
        if sparing:
            give_back(db)
        measured, tau_max = measure(plan.grid, plan.yard, plan.reading, ranked, plan.scores)
        costs, conduct = used.result()
    return Ranking(plan, Tables(plan, measured, tau_max, costs, conduct))


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
