"""A segment: a folder of Parquet files with the facts of many entries, and a manifest of their digests.

Takes rows, writes the files; takes a folder, gives its index when every byte is what was written. Named by its
manifest's digest, so that a damaged, foreign or half-written segment is never mistaken for one that holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from harness.schema.digest import file_sha256
from harness.schema.plain import Tree
from scoring.facts.columns import COLUMNS, READER
from scoring.facts.rows import Rows, add_rows
from scoring.ledger import RegradeVerdict

MANIFEST = "manifest.json"
BUFFERED_ROWS = 100_000
ROW_GROUP = 122_880
_TYPES = {
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "double": pl.Float64(),
    "bool": pl.Boolean(),
    "text": pl.String(),
    "digest": pl.Binary(),
}
SCHEMAS = {table: {name: _TYPES[kind] for name, kind in columns.items()} for table, columns in COLUMNS.items()}


@dataclass(frozen=True)
class Segment:
    """A whole segment. `index`: evidence -> (local number, entry id)."""

    path: Path
    index: dict[str, tuple[int, str]]

    def file(self, table: str) -> Path:
        """The Parquet file of one table."""
        return self.path / f"{table}.parquet"


class Writer:
    """Collects entries and writes them; `close` completes the segment. Raises OSError on a full disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self._count = 0
        self._rows = Rows([], [], [], [], [])
        self._tables: dict[str, list[pl.DataFrame]] = {table: [] for table in COLUMNS}

    def add(self, evidence: str, sha256: str, bundle: Tree, verdicts: tuple[RegradeVerdict, ...]) -> None:
        """One entry more."""
        add_rows(self._rows, self._count, evidence, sha256, bundle, verdicts)
        self._count += 1
        if len(self._rows.attempts) >= BUFFERED_ROWS:
            self._settle()

    def close(self) -> Path | None:
        """Write files and manifest; the folder, or None when there was no entry."""
        self._settle()
        if not self._count:
            return None
        for table, parts in self._tables.items():
            write_table(pl.concat(parts), self.folder, table)
        write_manifest(self.folder)
        return self.folder

    def _settle(self) -> None:
        """Rows as tuples take ten times the memory of columns."""
        for table, rows in self._rows._asdict().items():
            self._tables[table].append(frame(rows, SCHEMAS[table]))
            rows.clear()


def frame(rows: Sequence[tuple[Any, ...]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows as columns of exactly these types."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pl.DataFrame(
        [pl.Series(name, column, kind) for (name, kind), column in zip(schema.items(), columns, strict=True)]
    )


def write_table(rows: pl.DataFrame, folder: Path, table: str) -> None:
    """One file of a segment. Raises OSError."""
    try:
        rows.write_parquet(folder / f"{table}.parquet", compression="lz4", statistics=False, row_group_size=ROW_GROUP)
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from None


def write_manifest(folder: Path) -> None:
    """Seal the files that lie in the folder."""
    files = {f"{table}.parquet": file_sha256(folder / f"{table}.parquet") for table in sorted(COLUMNS)}
    text = json.dumps({"reader": READER, "files": files}, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def segment_name(folder: Path) -> str:
    """The name that its manifest earns. Raises OSError."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()[:32]


def open_segment(folder: Path) -> Segment | None:
    """None when this reader did not write it, or any of its bytes are not the ones that were written."""
    try:
        if not (folder / MANIFEST).is_file() or segment_name(folder) != folder.name:
            return None
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["reader"] != READER:
            return None
        if any(file_sha256(folder / name) != sha256 for name, sha256 in manifest["files"].items()):
            return None
        rows = pl.read_parquet(folder / "entries.parquet", columns=["evidence", "local", "entry"], glob=False)
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
        return None
    return Segment(folder, {evidence: (local, entry) for evidence, local, entry in rows.iter_rows()})
