"""The one seam between relations and arrays: SQL in, arrays and frames out.

Takes a DuckDB connection that holds the facts of scoring.load, gives the Grid of values that a ranking starts from, and
frames in the shape of columns.toml. Missing is NaN in arrays and NULL in tables, never a number.
"""

from __future__ import annotations

import contextlib
import ctypes
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from scoring.facts.database import Stream
from scoring.profiles import Bools, Floats
from scoring.stats import SEEDS as SEEDS
from scoring.yardstick import Yardstick

MEMORY = "160MB"
"""What the database works in while it sorts and joins everything."""
Source = Literal["published", "claimed", "regraded"]
_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "INTEGER": pl.Int32(),
    "BIGINT": pl.Int64(),
    "DOUBLE": pl.Float64(),
    "FLOAT": pl.Float64(),  # shortened where a file is written
    "DOUBLE[]": pl.List(pl.Float64()),
}


@dataclass(frozen=True)
class TableShape:
    """One table of columns.toml: what it is about, the order of its rows, and (name, DuckDB type, meaning) a column."""

    name: str
    about: str
    order: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        return {name: _TYPES[kind] for name, kind, _ in self.columns}

    def fit(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The columns of this table in their order and types; one that `rows` lacks is NULL."""
        lacking = [pl.lit(None).alias(name) for name in self.schema if name not in rows.columns]
        return rows.with_columns(lacking).select(list(self.schema)).cast(self.schema)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Grid:
    """Values of shape (entries, tasks, seeds), NaN where there is none, in the tasks' own direction and unit."""

    entries: tuple[str, ...]
    best: Floats
    last: Floats

    def beside(self, other: Grid) -> Grid:
        """These entries, then the other's; the same tasks."""
        return Grid(
            (*self.entries, *other.entries),
            np.concatenate([self.best, other.best]),
            np.concatenate([self.last, other.last]),
        )


@dataclass(frozen=True)
class Looks:
    """Of the same episodes, same shape: what validate had `told` of the value that was handed in (NaN: nothing), how
    many validate `calls` there were, and whether the episode ended with a `valid` score."""

    told: Floats
    calls: NDArray[np.int64]
    valid: Bools

    def beside(self, other: Looks) -> Looks:
        """These entries, then the other's; the same tasks."""
        return Looks(
            np.concatenate([self.told, other.told]),
            np.concatenate([self.calls, other.calls]),
            np.concatenate([self.valid, other.valid]),
        )


@cache
def shapes() -> Mapping[str, TableShape]:
    """Every published table by name."""
    text = files("scoring").joinpath("columns.toml").read_text(encoding="utf-8")
    return {
        name: TableShape(
            name,
            table["about"],
            tuple(table["order"]),
            tuple((column, kind, words) for column, (kind, words) in table["columns"].items()),
        )
        for name, table in tomllib.loads(text).items()
    }


def statement(name: str) -> str:
    """The text of scoring/sql/<name>.sql."""
    return files("scoring").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def query(db: duckdb.DuckDBPyConnection, name: str, **values: Any) -> duckdb.DuckDBPyConnection:
    """Run scoring/sql/<name>.sql; `values` are its $parameters."""
    text = statement(name)
    wanted = {key: value for key, value in values.items() if f"${key}" in text}
    return db.execute(text, wanted)


def frame(db: duckdb.DuckDBPyConnection, name: str, **values: Any) -> pl.DataFrame:
    """The same as a frame."""
    found = query(db, name, **values).fetchnumpy()
    return pl.DataFrame([_series(column, array) for column, array in found.items()])


def _series(name: str, array: NDArray[Any]) -> pl.Series:
    """NULL is what is masked. Not by way of Arrow: its library takes 50 ms to load, and nothing else needs it."""
    values, null = np.ma.getdata(array), np.ma.getmaskarray(array)
    if array.dtype == object:
        values[null] = None
        return pl.Series(name, values.tolist(), dtype=pl.String)
    return pl.Series(name, values).set(pl.Series(null), None)


def choose(db: duckdb.DuckDBPyConnection, chosen: Sequence[int], yard: Yardstick) -> None:
    """Say which entries (entry_no, in order) and tasks the next queries are about: relations `chosen` and `rules`."""
    replace_relation(
        db, "chosen", pl.DataFrame({"entry_no": chosen}, schema={"entry_no": pl.Int32}).with_row_index("place")
    )
    replace_relation(db, "rules", yard.frame())


def grid(db: duckdb.DuckDBPyConnection, entries: Sequence[str], yard: Yardstick, source: Source) -> tuple[Grid, Looks]:
    """The values of the chosen entries, whose names are `entries`, from one source and no other."""
    found = query(db, "grid", source=source, seeds=SEEDS).fetchnumpy()
    shape = (len(entries), len(yard.rules), SEEDS)
    at = tuple(np.asarray(found[name], dtype=np.int64) for name in ("place", "task_no", "seed"))

    def spread(name: str, empty: Any) -> NDArray[Any]:
        array = np.full(shape, empty)
        array[at] = np.ma.filled(found[name], empty)
        return array

    values = Grid(tuple(entries), spread("best", np.nan), spread("last", np.nan))
    return values, Looks(spread("told", np.nan), spread("validate_calls", 0), spread("valid", False))


def people(db: duckdb.DuckDBPyConnection, origin: str, levels: Sequence[str]) -> tuple[list[int], list[str]]:
    """(entry_no, name) of everyone of one origin on one of the levels, by name."""
    found = db.execute(
        "SELECT entry_no, entry FROM entries "
        "WHERE origin = ? AND NOT preview AND list_contains(?, level::VARCHAR) ORDER BY entry",
        [origin, list(levels)],
    ).fetchall()
    return [number for number, _ in found], [name for _, name in found]


def not_ranked(db: duckdb.DuckDBPyConnection, names: Mapping[int, str]) -> tuple[Mapping[str, str], frozenset[str]]:
    """Why each of the chosen stands without a rank, by name, and which of these are partial. `names`: by entry_no."""
    query(db, "copies")
    found = query(db, "not_ranked", seeds=SEEDS).fetchall()
    reasons = {names[entry]: why for entry, why, _ in found}
    return reasons, frozenset(names[entry] for entry, _, partial in found if partial)


def stored_baselines(db: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], set[float]]:
    """(task, metric) -> every baseline that an imported run's own file stored."""
    stored: dict[tuple[str, str], set[float]] = {}
    for task, metric, value in db.execute("SELECT DISTINCT task, metric, value FROM baselines").fetchall():
        stored.setdefault((task, metric), set()).add(value)
    return stored


def replace_relation(db: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Hand a frame over as a table."""
    db.register("handed_over", Stream(frame))
    db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM handed_over")  # noqa: S608 - our own name
    db.unregister("handed_over")


@contextlib.contextmanager
def little_memory(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """What cannot be held in MEMORY goes to the disk. One thread too: each sorts in memory of its own."""
    [(memory, threads)] = db.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchall()
    db.execute(f"SET memory_limit = '{MEMORY}'; SET threads = 1").fetchall()
    try:
        yield
    finally:
        db.execute(f"SET memory_limit = '{memory}'; SET threads = {threads}").fetchall()
        give_back(db)


def give_back(db: duckdb.DuckDBPyConnection) -> None:
    """What the database and the C library hold of memory that was freed goes to the system: they keep it for seconds,
    beside what the next stage needs. A limit that is set, also to what it was, makes the database do so."""
    [(memory,)] = db.execute("SELECT current_setting('memory_limit')").fetchall()
    db.execute(f"SET memory_limit = '{memory}'").fetchall()
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's; other C libraries have none."""
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim
