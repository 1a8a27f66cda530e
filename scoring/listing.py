"""Listing: the rows of one ranking as people read it, one flat record a row.

Takes a connection and a Ranking, gives Listed rows: the ranked ones by rank, then the unranked, the baseline last.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import polars as pl

from scoring.boards import Ranking
from scoring.tables import choose, frame
from scoring.vocabulary import BASELINE, Column


class Listed(NamedTuple):
    """One row in one kind of score. None is "not known" or "there is none"."""

    rank: int | None
    rank_low: int | None
    rank_high: int | None
    tie_group: int | None
    entry: str
    label: str
    kind: str
    level: str | None
    submitter: str | None
    aup: float | None
    aup_low: float | None
    aup_high: float | None
    mean_aup: float | None
    mean_low: float | None
    mean_high: float | None
    borda: float | None
    leave_one_out_low: int | None
    leave_one_out_high: int | None
    cost_usd: float | None
    frontier: bool
    valid_episodes: int
    episodes: int
    dominant_failure: str | None
    not_ranked_because: str | None
    beats_tuner: int | None
    tuner_tasks: int


def listing(db: duckdb.DuckDBPyConnection, ranking: Ranking, score: Column) -> list[Listed]:
    """Every row of the ranking, in the order in which it is read."""
    plan = ranking.plan
    choose(db, plan.chosen, plan.yard)
    label = pl.coalesce("model_label", "model", "agent")
    people = frame(db, "people").select("entry", "level", "submitter", label=label)
    reasons = pl.DataFrame(
        {"entry": list(plan.not_ranked), "not_ranked_because": list(plan.not_ranked.values())},
        schema={"entry": pl.String, "not_ranked_because": pl.String},
    )
    failures = ranking.table("conduct").select("entry", "dominant_failure")
    rows = ranking.table("board", score)
    for more in (people, reasons, failures):
        rows = rows.join(more, on="entry", how="left", maintain_order="left")
    is_baseline = pl.col("kind") == BASELINE
    rows = rows.with_columns(
        label=pl.when(is_baseline).then(pl.lit("Baseline")).otherwise("label"),
        level=pl.when(pl.col("kind") == "entry").then("level"),
    )
    ordered = rows.sort(is_baseline, pl.col("rank").is_null(), -pl.col("aup").fill_null(-1.0), "entry")
    return [Listed(*values) for values in ordered.select(Listed._fields).iter_rows()]


def invalid_values(db: duckdb.DuckDBPyConnection, ranking: Ranking) -> list[str]:
    """The task of every published value on this ranking that is known to be invalid."""
    choose(db, ranking.plan.chosen, ranking.plan.yard)
    return [note["task"] for note in frame(db, "notes").to_dicts() if note["task"] in ranking.plan.yard.tasks]
