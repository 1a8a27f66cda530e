"""Export: every table as Parquet, and one DuckDB file that shows them all.

Takes a Built, writes <table>.parquet and gymboard.duckdb into a folder. The database copies no row: its views read the
Parquet files beside it, and its comments say what each column means. The same input gives the same Parquet bytes,
whatever the threads, the hash seed and the order of files; a DuckDB file carries a random id and does not.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from harness.schema.prices import load_prices
from scoring.boards import price_frame
from scoring.build import Built
from scoring.tables import TableShape, little_memory, replace_relation, shapes, statement

DATABASE = "gymboard.duckdb"
_BLOCK = 16384
"""Bytes of a block of the database, which holds words alone: the usual 256 KiB would be empty."""
_FACTS = ("entries", "episodes", "attempts", "actions", "ledger", "replays")
"""Made by scoring/sql/table_<name>.sql; the other tables come out of the rankings."""


def export(built: Built, folder: Path) -> list[Path]:
    """Write the files; gives their paths, the database last."""
    folder.mkdir(parents=True, exist_ok=True)
    db = built.facts.db
    _prepare(built)
    with little_memory(db):
        _write(built, db, folder)
    return [*(folder / f"{name}.parquet" for name in shapes()), write_database(folder)]


def _write(built: Built, db: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for shape in shapes().values():
        if shape.name in _FACTS:
            db.execute(f"CREATE OR REPLACE TEMP VIEW exported AS {statement(f'table_{shape.name}')}")
        else:
            db.execute("DROP VIEW IF EXISTS exported")
            replace_relation(db, "exported_rows", built.flags if shape.name == "flags" else _ranked(built, shape))
            rows = statement("table_flags") if shape.name == "flags" else "SELECT * FROM exported_rows"
            db.execute(f"CREATE TEMP VIEW exported AS {rows}")
        _copy(db, shape, folder / f"{shape.name}.parquet")


def _prepare(built: Built) -> None:
    """The relations that scoring/sql/table_*.sql name beside the facts."""
    reasons = {name: why for ranking in built.rankings for name, why in ranking.plan.not_ranked.items()}
    frame = pl.DataFrame(
        {"entry": list(reasons), "why": list(reasons.values())}, {"entry": pl.String, "why": pl.String}
    )
    replace_relation(built.facts.db, "not_ranked", frame)
    replace_relation(built.facts.db, "settings", pl.DataFrame({"day": [built.season.prices]}))
    replace_relation(built.facts.db, "prices", price_frame(load_prices()))


def _ranked(built: Built, shape: TableShape) -> pl.DataFrame:
    """One table over all rankings; a table without a reading is the same in all of one board."""
    parts = [ranking.table(shape.name) for ranking in built.rankings if shape.name in ranking.tables]
    rows = pl.concat(parts) if parts else pl.DataFrame(schema=shape.schema)
    if shape.name == "constants":
        rows = rows.with_columns(data_sha256=pl.lit(built.data_sha256))
    return rows if "reading" in shape.schema else rows.unique(maintain_order=True)


def _copy(db: duckdb.DuckDBPyConnection, shape: TableShape, file: Path) -> None:
    columns = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind, _ in shape.columns)
    order = ", ".join(f'"{name}" NULLS FIRST' for name in shape.order)
    rows = f"SELECT {columns} FROM exported ORDER BY {order}"  # noqa: S608 - names of columns.toml
    db.execute(f"COPY ({rows}) TO '{_quoted(file)}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 9)")


def write_database(folder: Path) -> Path:
    """Views of all Parquet tables of `folder` in a DuckDB file beside them, each column with its words as a comment.

    They find the tables wherever these lie in the folder that is worked in.
    """
    file = folder / DATABASE
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file), config={"file_search_path": str(folder), "default_block_size": _BLOCK}) as db:
        for shape in shapes().values():
            db.execute(f"CREATE VIEW {shape.name} AS SELECT * FROM '{shape.name}.parquet'")  # noqa: S608
            db.execute(f"COMMENT ON VIEW {shape.name} IS '{_escaped(shape.about)}'")
            for name, _, words in shape.columns:
                db.execute(f"COMMENT ON COLUMN {shape.name}.\"{name}\" IS '{_escaped(words)}'")
    return file


def _quoted(file: Path) -> str:
    return _escaped(str(file))


def _escaped(text: str) -> str:
    return text.replace("'", "''")
