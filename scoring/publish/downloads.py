"""The board as files for machines: JSON (every row with its standings) and two CSV tables, the larger ones compressed.

Takes a Leaderboard, writes under data/. What another file there says in full is not said twice. A row is written at a
time: the whole text would be the largest thing in memory. A cell that a spreadsheet would run as a formula is prefixed
by an apostrophe.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from harness.schema.paper import table_file
from scoring.answers import safe_cell
from scoring.leaderboard import Board, Leaderboard
from scoring.ledger import LEDGER, ledger_bytes

RECORD = "leaderboard.json.gz"
SCORES = "task_scores.csv.gz"
DOWNLOADS = (RECORD, "leaderboard.csv", SCORES, LEDGER, "published_regraded.tsv")
"""What write_downloads writes."""
_IN_TABLES = {"ledger", "flags", "curves", "pareto"}
_ROW_IN_TABLES: Any = {"cells": True, "standings": {"__all__": {"by_domain"}}}
Value = str | int | float | None
_RANKING = (
    "board", "reading", "column", "row", "kind", "label", "level", "rank", "rank_low", "rank_high", "tie_group", "aup",
    "aup_low", "aup_high", "mean_aup", "borda", "cost_usd_per_episode", "cost_source", "valid_episodes", "episodes",
    "dominant_failure", "steps", "input_tokens", "output_tokens", "date",
    "beats_tuner",
)  # fmt: skip
_SCORES = (
    "board", "reading", "column", "row", "task", "metric", "direction", "value", "mean", "stderr", "log10_ratio",
    "feasible", "beats_baseline", "contribution", "valid_episodes", "episodes", "validate_calls", "audit_notes",
    "beats_tuner",
)  # fmt: skip


def write_downloads(leaderboard: Leaderboard, folder: Path) -> None:
    """The record, leaderboard.csv, the scores by task, the ledger's lines and the games' published scores graded
    again, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _pack(folder / RECORD, _record(leaderboard))
    (folder / "leaderboard.csv").write_text(
        "".join(_csv(_RANKING, _shortened(_ranking(leaderboard)))), "utf-8", newline=""
    )
    _pack(folder / SCORES, _csv(_SCORES, _shortened(_scores(leaderboard))))
    (folder / LEDGER).write_bytes(ledger_bytes(leaderboard.ledger))
    (folder / "published_regraded.tsv").write_bytes(table_file().read_bytes())


def _pack(file: Path, parts: Iterable[str]) -> None:
    """The same text gives the same bytes."""
    with file.open("wb") as plain, gzip.GzipFile("", "wb", 5, plain, mtime=0) as packed:
        packed.writelines(part.encode() for part in parts)


def _record(leaderboard: Leaderboard) -> Iterator[str]:
    """Its JSON, without what is None and without what the tables have."""
    head, tail = _without(leaderboard, "boards")
    yield head
    for place, board in enumerate(leaderboard.boards):
        yield "," if place else ""
        yield from _board(board)
    yield tail


def _board(board: Board) -> Iterator[str]:
    head, tail = _without(board, "rows")
    yield head
    for place, row in enumerate(board.rows):
        yield ("," if place else "") + row.model_dump_json(exclude_none=True, exclude=_ROW_IN_TABLES)
    yield tail


def _without(record: Leaderboard | Board, name: str) -> tuple[str, str]:
    """The record's JSON before and behind the members of its list `name`."""
    empty = record.model_copy(update={name: ()})
    head, tail = empty.model_dump_json(exclude_none=True, exclude=_IN_TABLES).split(f'"{name}":[]', 1)
    return f'{head}"{name}":[', f"]{tail}"


def _csv(header: tuple[str, ...], rows: Iterable[tuple[Value, ...]]) -> Iterator[str]:
    """Line by line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in chain([header], rows):
        writer.writerow([safe_cell(value) for value in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _shortened(rows: Iterable[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
    """Numbers to five digits: two more than a page shows. The Parquet tables have more."""
    for row in rows:
        yield tuple(float(f"{value:.5g}") if isinstance(value, float) else value for value in row)


def _ranking(leaderboard: Leaderboard) -> Iterator[tuple[Value, ...]]:
    for board in leaderboard.boards:
        for row in board.rows:
            for column, s in sorted(row.standings.items()):
                low, high = (s.aup_interval.low, s.aup_interval.high) if s.aup_interval else (None, None)
                yield (
                    board.id, board.reading, column, row.id, row.kind, row.label, row.level, s.rank, s.rank_low,
                    s.rank_high, s.tie_group, s.aup, low, high, s.mean_aup, s.borda, row.cost.usd_per_episode,
                    row.cost.source, row.valid_episodes, row.episodes, row.dominant_failure, row.steps,
                    row.input_tokens, row.output_tokens, row.entry.date if row.entry else None,
                    s.beats_tuner,
                )  # fmt: skip


def _scores(leaderboard: Leaderboard) -> Iterator[tuple[Value, ...]]:
    for board in leaderboard.boards:
        for row in board.rows:
            for cell in row.cells:
                for column, s in (("best", cell.best), ("last", cell.last)):
                    yield (
                        board.id, board.reading, column, row.id, cell.task, cell.metric, cell.direction, s.value,
                        s.mean, s.stderr, s.log10_ratio, s.feasible, s.beats_baseline, s.contribution,
                        cell.valid_episodes, cell.episodes, cell.validate_calls, len(cell.notes),
                        s.beats_tuner,
                    )  # fmt: skip
