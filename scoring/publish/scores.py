"""What a browser needs to rank a board anew: assets/scores.json, read by the pages Compare and What if alone.

Takes Boards, writes JSON. Never rounds a score: site/docs/assets/js/score.js repeats our arithmetic on these values to
1e-9. A board: id, reading, title; `column`: the one that is ranked; `frozen`: ratios are taken against `tasks[].ref`,
not against the best of the cohort; `tau`: tau_max; `eps`; `levels`, from the lowest; `tasks`: id, title, metric, `max`,
`half` (a score s is measured as (1 + s)/2), `base`, `ref` and the `penalty` of an infeasible score, all after
that transform; `prices`: model -> USD per million tokens of input, output, cached input,
cache writes; `total` rows, of which `rows` has the first LEADING and assets/scores/<key>.gzip one of the others each;
`without`: who has no AUP, and why.
A row: id, label, `key` (the id, shortened where four would not fit a query), `level` (a place in `levels`), `model`,
`rank` {column: [rank, low, high]}, and by task, in the order of `tasks`: `tokens` (Cell.tokens), `best` (the seeds'
values) and `last` ({seed: value} of the seeds in which it is another; 0: in none). null: not known, or no value.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.schema.prices import load_prices
from scoring.leaderboard import Board, BoardTask, Cell, Row
from scoring.ledger import LEVELS
from scoring.profiles import Floats, fixed_scale
from scoring.publish.formats import visible
from scoring.vocabulary import BASELINE

LEADING = 1000
"""Rows of a board that the file holds: more would be over a megabyte on the wire."""
KEY = 45
"""Characters of an id in a query: four of them, three commas and the setting stay under 200."""
PACKED = "gzip"
"""Not "gz": some servers send such a file as text that a browser has unpacked already."""
MODELS = 40
PRICE_KINDS = ("input", "output", "cached", "written")
"""The order of a model's prices."""
Tree = dict[str, Any]
Taken = Callable[[Board, Row, str], bool]
"""Whether the file of that name, which says what the row says, is there."""


def _nothing(board: Board, row: Row, name: str) -> bool:
    return False


def write_scores(boards: Iterable[Board], assets: Path, taken: Taken = _nothing) -> None:
    """scores.json, and a file for each row that it has no room for, unless `taken` says that it is there already."""
    trees = []
    for board in boards:
        rows = placed(board)
        trees.append(board_tree(board, rows))
        rest = rows[LEADING:]
        if rest:
            (assets / "scores").mkdir(exist_ok=True)
        for row in rest:
            for name in {row.id, key(row.id)}:
                if not taken(board, row, f"assets/scores/{name}.{PACKED}"):
                    packed = gzip.compress(_text({"board": board.id, "row": _row(row)}), mtime=0)
                    (assets / "scores" / f"{name}.{PACKED}").write_bytes(packed)
    (assets / "scores.json").write_bytes(_text({"boards": trees}))


def _text(tree: Tree) -> bytes:
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def placed(board: Board) -> list[Row]:
    """The entries that have an AUP, in the board's order."""
    return [row for row in board.rows if row.kind != BASELINE and row.standings]


def board_tree(board: Board, rows: Sequence[Row]) -> Tree:
    """One board as the browser reads it; `rows` are its placed() ones."""
    return {
        "id": board.id,
        "reading": board.reading,
        "title": board.title,
        "column": board.default_column,
        "frozen": board.reading == "season",
        "tau": board.constants.tau_max,
        "eps": board.constants.eps,
        "levels": LEVELS,
        "total": len(rows),
        "tasks": [_task(task, board.constants.eps) for task in board.tasks],
        "prices": prices(board),
        "rows": [_row(row) for row in rows[:LEADING]],
        "without": [
            {
                "id": row.id,
                "key": key(row.id),
                "label": visible(row.label),
                "why": row.not_ranked_because or "nothing of it has been regraded",
            }
            for row in board.rows
            if row.kind != BASELINE and not row.standings
        ],
    }


def key(entry: str) -> str:
    """The id, or its beginning and eight digits of its SHA-256; no id holds a tilde."""
    if len(entry) <= KEY:
        return entry
    return f"{entry[: KEY - 9]}~{hashlib.sha256(entry.encode()).hexdigest()[:8]}"


def prices(board: Board) -> dict[str, list[float]]:
    """Of every model on the board that has a price on the board's day."""
    return {model: price for model in _models(board) if (price := _price(model, board))}


def priced(board: Board) -> list[tuple[str, list[float] | None]]:
    """Models whose price a reader may change: at most MODELS, those without a price, None, after the others."""
    found = [(model, _price(model, board)) for model in _models(board)]
    return sorted(found, key=lambda pair: (pair[1] is None, pair[0]))[:MODELS]


def _models(board: Board) -> list[str]:
    return sorted({row.entry.model for row in placed(board) if row.entry and row.entry.model})


def _price(model: str, board: Board) -> list[float] | None:
    price = load_prices().find(model, board.constants.prices)
    if price is None:
        return None
    others = (price.cached_usd, price.cache_write_usd)
    return [price.input_usd, price.output_usd, *(price.input_usd if one is None else one for one in others)]


def _task(task: BoardTask, eps: float) -> Tree:
    maximise = task.direction == "max"
    base, ref = _on_its_scale(task, task.baseline), _on_its_scale(task, task.reference)
    scale = fixed_scale(ref, base, np.array([maximise]), eps, np.nan)
    numbers = {"base": base[0], "ref": ref[0], "penalty": scale.penalty[0]}
    return {
        "id": task.id,
        "title": task.title,
        "metric": task.metric,
        "max": maximise,
        "half": task.transform == "half-shifted",
        **{name: float(value) if np.isfinite(value) else None for name, value in numbers.items()},
    }


def _on_its_scale(task: BoardTask, value: float | None) -> Floats:
    number = np.array([np.nan if value is None else value])
    return (1 + number) / 2 if task.transform == "half-shifted" else number


def _row(row: Row) -> Tree:
    cells = tuple(row.cells)
    return {
        "id": row.id,
        "label": visible(row.label),
        "key": key(row.id),
        "level": LEVELS.index(row.level) if row.level else 0,
        "model": row.entry.model if row.entry else None,
        "rank": {column: (one.rank, one.rank_low, one.rank_high) for column, one in sorted(row.standings.items())},
        "tokens": [cell.tokens or () for cell in cells],
        "best": [cell.best.seeds for cell in cells],
        "last": [_last(cell) for cell in cells],
    }


def _last(cell: Cell) -> Any:
    pairs = zip(cell.last.seeds, cell.best.seeds, strict=True)
    return {seed: last for seed, (last, best) in enumerate(pairs) if last != best} or 0
