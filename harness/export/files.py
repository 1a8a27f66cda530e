"""Exported episodes -> files: JSONL and Parquet (one row an episode), ATIF and Inspect logs (one file an episode or a
task). Takes rows or Told episodes and a path, writes each file whole or not at all, gives the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from harness.errors import UsageError
from harness.export.chat import Row
from harness.export.source import Told
from harness.files import replace_file

_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
_FUNCTION = pa.struct([("name", _TEXT), ("arguments", _TEXT)])
_CALL = pa.struct([("id", _TEXT), ("type", _TEXT), ("function", _FUNCTION)])
_MESSAGE = pa.struct(
    [
        ("role", _TEXT),
        ("content", _TEXT),
        ("reasoning_content", _TEXT),
        ("tool_calls", pa.list_(_CALL)),
        ("tool_call_id", _TEXT),
        ("name", _TEXT),
    ]
)
_NUMBERS = {
    **dict.fromkeys(("seed", "steps", "input_tokens", "output_tokens"), _WHOLE),
    **dict.fromkeys(("score", "best_score", "baseline", "gain", "cost_usd", "wall_s"), _REAL),
    "success": pa.bool_(),
    "rewards": pa.list_(_REAL),
    "messages": pa.list_(_MESSAGE),
}
SCHEMA = pa.schema([(name, _NUMBERS.get(name, _TEXT)) for name in Row.model_fields])


def write_jsonl(rows: Iterable[Row], out: Path) -> list[Path]:
    """One JSON object a line; what a message does not have is left out, as OpenAI's format wants it."""
    lines = []
    for row in rows:
        tree = row.model_dump(mode="json")
        tree["messages"] = [message.model_dump(mode="json", exclude_none=True) for message in row.messages]
        tree["tools"] = json.loads(row.tools)
        lines.append(json.dumps(tree, ensure_ascii=False) + "\n")
    return [replace_file(_file(out), "".join(lines).encode())]


def write_parquet(rows: Iterable[Row], out: Path) -> list[Path]:
    """One row group of SCHEMA, zstd."""
    table = pa.Table.from_pylist([row.model_dump(mode="json") for row in rows], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pa.parquet.write_table(table, sink, compression="zstd")
    return [replace_file(_file(out), sink.getvalue().to_pybytes())]


def write_atif(every: Iterable[Told], out: Path) -> list[Path]:
    """`out`/<source>/<task>/seed-<n>.json, one ATIF document each."""
    written = []
    for told in every:
        file = out / told.source / f"{told.episode.key}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        written.append(replace_file(file, told.trajectory.canonical()))
    return written


def _file(out: Path) -> Path:
    if out.is_dir():
        raise UsageError(f"{out} is a folder; give the name of a file")
    out.parent.mkdir(parents=True, exist_ok=True)
    return out
