"""The seam between relations and arrays: what goes in comes out, with what is missing still missing."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import polars as pl
import pytest

import scoring.tables
from scoring.tables import frame, replace_relation

ROWS = pl.DataFrame(
    {
        "whole": pl.Series([1, None, -(2**40)], dtype=pl.Int64),
        "small": pl.Series([None, 2, 3], dtype=pl.Int32),
        "number": [0.1, None, float("nan")],
        "yes": [True, None, False],
        "text": ["?", None, "N/A"],
    }
)


@pytest.fixture
def db(monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    monkeypatch.setattr(scoring.tables, "statement", lambda name: f"SELECT * FROM {name}")
    with duckdb.connect(":memory:") as connection:
        yield connection


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ROWS[:0], ROWS[1:2]], ids=["some", "one", "none", "missing"])
def test_a_frame_comes_back_as_it_was(db: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    replace_relation(db, "given", rows)
    found = frame(db, "given")
    assert found.schema == rows.schema
    assert found.equals(rows, null_equal=True)
    assert found["number"].is_nan().sum() == rows["number"].is_nan().sum(), "NULL is not NaN"
