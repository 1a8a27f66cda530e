"""What `gymboard rank` gives to programs: JSON and CSV, straight from the tables.

Takes a Built and what was asked, gives text. The same input gives the same bytes. A cell that a spreadsheet would run
as a formula is prefixed by an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from scoring.boards import Ranking
from scoring.build import Built
from scoring.explain import explain, next_rank
from scoring.listing import Listed, invalid_values, listing
from scoring.sentences import sentences
from scoring.vocabulary import SCORING_VERSION, Column

CSV_FIELDS = ("board", "reading", "score", "preview", *Listed._fields)


def as_json(built: Built, rankings: Sequence[Ranking], score: Column, entry: str | None) -> str:
    """The rankings with their constants, tasks and rows; of one entry also its tasks, when `entry` is given.

    On one line: Python's writer of indented JSON takes ten times as long, and programs read this.
    """
    facts = {
        "scoring_version": SCORING_VERSION,
        "data_sha256": built.data_sha256,
        "data_date": built.data_date,
        "rejections": [{"folder": name, "reasons": reasons} for name, reasons in built.facts.rejections],
    }
    boards = [_ranking(built, ranking, score, entry) for ranking in rankings]
    return json.dumps(facts | {"boards": boards}, sort_keys=True, ensure_ascii=False, allow_nan=False)


def as_csv(built: Built, rankings: Sequence[Ranking], score: Column, entry: str | None) -> str:
    """One line a row of the rankings, of one entry alone when `entry` is given."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for ranking in rankings:
        plan = ranking.plan
        for row in listing(built.facts.db, ranking, score):
            if entry in (None, row.entry):
                values = (plan.id, plan.reading, score, plan.preview is not None, *row)
                writer.writerow([safe_cell(value) for value in values])
    return text.getvalue()


def safe_cell(value: Any) -> Any:
    """The value, or its text behind an apostrophe where a spreadsheet would run it as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _ranking(built: Built, ranking: Ranking, score: Column, entry: str | None) -> dict[str, Any]:
    plan = ranking.plan
    rows = listing(built.facts.db, ranking, score)
    notes = invalid_values(built.facts.db, ranking)
    [constants] = ranking.table("constants").drop("data_sha256").to_dicts()
    told: dict[str, Any] = {
        "board": plan.id,
        "reading": plan.reading,
        "score": score,
        "title": plan.title,
        "preview": plan.preview is not None,
        "constants": constants,
        "tasks": ranking.table("tasks").drop("board", "reading").to_dicts(),
        "rows": [row._asdict() for row in rows if entry in (None, row.entry)],
        "sentences": sentences(plan.reading, rows, ranking.table("tasks"), score, notes),
        "caveats": plan.caveats,
    }
    if entry is not None:
        needed = next_rank(ranking, entry, score)
        told["explained"] = [line._asdict() for line in explain(ranking, entry, score)]
        told["next_rank"] = needed._asdict() if needed else None
        published = built.flags.filter(pl.col("entry") == entry, pl.lit(entry != plan.preview))
        told["flags"] = published.drop("entry").to_dicts()
        told["domains"] = _domains(ranking, entry, score)
    return told


def _domains(ranking: Ranking, entry: str, score: Column) -> dict[str, float]:
    rows = ranking.table("domains", score).filter(pl.col("entry") == entry)
    return dict(zip(rows["domain"].to_list(), rows["aup"].to_list(), strict=True))
