"""Several segments -> one. Takes segments and the entries of each to keep, writes a new segment; changes no fact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from scoring.facts.columns import COLUMNS
from scoring.facts.segment import Segment, write_manifest, write_table


def merge(parts: Mapping[Path, tuple[Segment, list[int]]], folder: Path) -> Path:
    """Write `folder` with the entries of these local numbers, numbered anew. Raises OSError."""
    folder.mkdir()
    numbers, count = {}, 0
    for path, (_, keep) in sorted(parts.items()):
        new = range(count, count + len(keep))
        numbers[path] = pl.DataFrame({"local": sorted(keep), "new": new}, {"local": pl.Int32, "new": pl.Int32})
        count += len(keep)
    for table in COLUMNS:
        tables = [_part(segment, table, numbers[path]) for path, (segment, _) in sorted(parts.items())]
        write_table(pl.concat(tables), folder, table)
    write_manifest(folder)
    return folder


def _part(segment: Segment, table: str, numbers: pl.DataFrame) -> pl.DataFrame:
    rows = pl.read_parquet(segment.file(table), glob=False)
    kept = rows.join(numbers, on="local", how="inner", maintain_order="left")
    return kept.with_columns(local="new").select(rows.columns)
