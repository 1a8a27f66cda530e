"""RegradedScore: one score that MLGym published of a game, beside what our referee says of the same strategy.

Takes the kept table (tab-separated text), gives records and back. Never grades and never fetches anything.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from harness.errors import Problem, SchemaError
from harness.schema.base import KebabId, Record, Sha256
from harness.schema.episode import Count


class RegradedScore(Record):
    """One line of the table. `sigmas`: the difference in combined standard errors; None where nothing was measured.

    `finding`: agrees, differs, changed (measured against an opponent or by a grader that the run had edited), invalid
    (our referee refuses the strategy, `reason` says why) or lost (its text is not known whole).
    """

    model: KebabId
    task: KebabId
    seed: Count
    attempt: Count
    kind: Literal["validate", "submit"]
    step: Count
    published: float
    regraded: float | None
    stderr: float | None
    games: Count | None
    sigmas: float | None
    finding: Literal["agrees", "differs", "changed", "invalid", "lost"]
    changed: str
    artifact_sha256: Sha256 | None
    reason: str


COLUMNS = tuple(RegradedScore.model_fields)
HEAD = """\
# Published scores of MLGym's three games, graded again by our referee: gymboard import regrade-paper
# Figures from MLGym (arXiv 2502.14499), github.com/facebookresearch/MLGym, CC BY-NC 4.0.
# Steps count from 1 in the published .traj: gymboard watch MODEL/TASK --seed SEED --step STEP shows them.
"""


def write_rows(rows: Iterable[RegradedScore]) -> str:
    """The table as tab-separated text, with what it is in its first lines."""
    text = io.StringIO()
    text.write(HEAD)
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = row.model_dump()
        writer.writerow("" if cells[name] is None else _cell(cells[name]) for name in COLUMNS)
    return text.getvalue()


def read_rows(text: str) -> list[RegradedScore]:
    """The table back. Raises SchemaError that names the line."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    reader = csv.reader(lines, delimiter="\t")
    head = next(reader, [])
    if tuple(head) != COLUMNS:
        raise SchemaError("regraded scores", [Problem("(head)", f"has the columns {head}, expected {list(COLUMNS)}")])
    return [
        RegradedScore.from_json(json.dumps(_typed(cells)), f"row {number}")
        for number, cells in enumerate(reader, start=1)
    ]


def table_file() -> Path:
    """The table that is kept beside this module; `gymboard import regrade-paper` makes it."""
    return Path(__file__).with_name("paper.tsv")


def _typed(cells: Sequence[str]) -> dict[str, object]:
    """Texts of a row as JSON's types; an empty cell of a column that may be null is null."""
    return {name: _json(name, cell) for name, cell in zip(COLUMNS, cells, strict=True)}


def _json(name: str, cell: str) -> object:
    if name in ("seed", "attempt", "step", "games"):
        return int(cell) if cell else None
    if name in ("published", "regraded", "stderr", "sigmas"):
        return float(cell) if cell else None
    return cell or (None if name == "artifact_sha256" else "")


def _cell(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
