"""Segments and the ledger -> relations in DuckDB.

Takes which entry lies where, gives a connection with entries, episodes, attempts, baselines, notes, ledger and replays.
The rows of segments stay in their files until a query asks for them. Never lets the order of rows mean anything.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl

from scoring.facts.columns import COLUMNS
from scoring.facts.segment import SCHEMAS, Segment, frame
from scoring.ledger import LEVELS, LedgerLine
from scoring.reproduced import Reproduction

_LEDGER = (
    "time",
    "kind",
    "entry",
    "bundle_sha256",
    "reason",
    "key_fingerprint",
    "level",
    "verdicts_sha256",
    "replay_sha256",
    "sha256",
)
_REPLAYS = {
    "sequence": pl.Int64(),
    "entry": pl.String(),
    "bundle_sha256": pl.String(),
    "task": pl.String(),
    "outcome": pl.String(),
    "seed": pl.Int64(),
    "expected": pl.Float64(),
    "found": pl.Float64(),
    "allowed": pl.Float64(),
}


class Member(NamedTuple):
    """One entry of this board: its number, and where its facts lie."""

    entry_no: int
    segment: Segment
    local: int
    preview: bool


def open_database(
    members: Sequence[Member], ledger: Sequence[LedgerLine], reproductions: Sequence[Reproduction] = ()
) -> duckdb.DuckDBPyConnection:
    """An in-memory database over these entries."""
    spill = Path(tempfile.gettempdir()) / f"gymboard-{uuid.uuid4().hex}"  # made and removed by DuckDB, if it needs one
    db = duckdb.connect(":memory:", config={"temp_directory": str(spill)})
    db.execute(f"CREATE TYPE level AS ENUM ({', '.join(map(repr, LEVELS))})")
    segments = sorted({member.segment.path: member.segment for member in members}.items())
    numbers = {path: number for number, (path, _) in enumerate(segments)}
    rows = [(numbers[one.segment.path], one.local, one.entry_no, one.preview) for one in members]
    whole, text = pl.Int32(), pl.String()
    _table(db, "members", rows, {"segment": whole, "local": whole, "entry_no": whole, "preview": pl.Boolean()})
    columns = {"sequence": pl.Int64(), **dict.fromkeys(_LEDGER, text)}
    _table(db, "ledger", [*map(attrgetter(*columns), ledger)], columns)
    _table(db, "replay_lines", list(_replays(ledger)), _REPLAYS)
    db.execute(f"CREATE TABLE replays AS {_statement('replays')}")
    for table in COLUMNS:
        parts = [_from_segment(table, number, segment) for number, (_, segment) in enumerate(segments)]
        name = "found_entries" if table == "entries" else table
        db.execute(f"CREATE VIEW {name} AS {' UNION ALL '.join(parts) or _empty(table)}")
    db.execute(f"CREATE TABLE entries AS {_statement('levels')}")
    _table(db, "reproductions", reproductions, dict.fromkeys(Reproduction._fields, text))
    db.execute(_statement("reproduced"))
    return db


def _statement(name: str) -> str:
    return (files("scoring") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _replays(ledger: Sequence[LedgerLine]) -> Iterator[tuple[Any, ...]]:
    """One row a task of each line."""
    for line in ledger:
        for one in line.replays or ():
            figures = (one.seed, one.expected, one.found, one.allowed)
            yield (line.sequence, line.entry, line.bundle_sha256, one.task, one.outcome, *figures)


class Stream:
    """A frame as the standard stream that DuckDB reads, without a library between them."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def _table(
    db: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple[Any, ...]], schema: Mapping[str, pl.DataType]
) -> None:
    db.register("given", Stream(frame(rows, schema)))
    db.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
    db.unregister("given")


def _from_segment(table: str, number: int, segment: Segment) -> str:
    path = str(segment.file(table)).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]").replace("'", "''")
    joined = f"read_parquet('{path}') f JOIN members m ON m.segment = {number} AND m.local = f.local"
    return f"SELECT {_selected(table)} FROM {joined}"


def _empty(table: str) -> str:
    """The relation of a board without entries."""
    columns = ", ".join(f"NULL::{_sql_type(kind)} AS {name}" for name, kind in COLUMNS[table].items())
    return f"SELECT {_selected(table)} FROM (SELECT {columns}) f, members m WHERE false"


def _selected(table: str) -> str:
    own = {"local": "m.entry_no", "artifact": "f.artifact AS artifact"}
    own |= {"evidence": "", "size": "", "entry": "f.entry, m.preview"} if table == "entries" else {}
    return ", ".join(filter(None, (own.get(name, f"f.{name}") for name in SCHEMAS[table])))


def _sql_type(kind: str) -> str:
    types = {"int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "digest": "BLOB"}
    return types.get(kind, "VARCHAR")
