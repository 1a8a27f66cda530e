"""Several segments -> one. Takes segments and the entries of each to keep, writes a new segment; changes no fact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.facts.columns import COLUMNS
from scoring.facts.segment import ROW_GROUP, SCHEMAS, Segment, write_manifest


def merge(parts: Mapping[Path, tuple[Segment, list[int]]], folder: Path) -> Path:
    """Write `folder` with the entries of these local numbers, numbered anew. Raises OSError."""
    folder.mkdir()
    starts, count = {}, 0
    for path, (_, keep) in sorted(parts.items()):
        starts[path] = count
        count += len(keep)
    for table in COLUMNS:
        tables = [
            _part(pq.read_table(segment.file(table), schema=SCHEMAS[table]), sorted(keep), starts[path])
            for path, (segment, keep) in sorted(parts.items())
        ]
        whole = pa.concat_tables(tables).unify_dictionaries()
        pq.write_table(whole, folder / f"{table}.parquet", compression="lz4", row_group_size=ROW_GROUP)
    write_manifest(folder)
    return folder


def _part(rows: pa.Table, keep: list[int], start: int) -> pa.Table:
    local = rows["local"].to_numpy()
    kept = np.array(keep, dtype=np.int32)
    at = np.searchsorted(kept, local)
    mask = (at < len(kept)) & (kept[np.minimum(at, len(kept) - 1)] == local)
    numbers = pa.array((at[mask] + start).astype(np.int32))
    return rows.filter(pa.array(mask)).set_column(0, "local", numbers)
