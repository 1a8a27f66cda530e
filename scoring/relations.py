"""Loaded entries as the relations entries, attempts and notes. Goes when scoring.facts gives them from the files."""

from __future__ import annotations

import duckdb
import polars as pl

from scoring.load import Submissions
from scoring.tables import build_tables

_NOTES = {"entry_no": pl.Int32, "task": pl.String, "seed": pl.Int32, "metric": pl.String, "value": pl.Float64}


def relations(loaded: Submissions) -> duckdb.DuckDBPyConnection:
    """An in-memory database that the caller closes."""
    names = [one.bundle.entry.id for one in loaded.entries]
    number = {name: index for index, name in enumerate(names)}
    entries = pl.DataFrame(
        [
            (
                number[one.bundle.entry.id],
                one.bundle.entry.id,
                False,
                one.bundle.origin,
                one.bundle.profile,
                one.level,
                one.reviewed,
            )
            for one in loaded.entries
        ],
        schema=["entry_no", "entry", "preview", "origin", "profile", "level", "reviewed"],
        orient="row",
    )
    notes = pl.DataFrame(
        [
            (number[one.bundle.entry.id], note.task, note.seed, note.metric, note.value)
            for one in loaded.entries
            for note in one.bundle.audit
        ],
        schema=_NOTES,
        orient="row",
    )
    attempts = build_tables(loaded.entries).attempts.with_columns(
        entry_no=pl.col("entry").replace_strict(number, return_dtype=pl.Int32), is_last=pl.col("final")
    )
    db = duckdb.connect()
    for name, frame in (("entries", entries), ("notes", notes), ("attempts", attempts)):
        db.register(name, frame)
    return db
