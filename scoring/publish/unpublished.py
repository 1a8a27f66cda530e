"""The one block about the reader's own unpublished run: where it would stand, and what it is measured against.

Takes preview boards and the tasks, gives what the template prints. Never ranks a preview; its values are claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.schema.task import TaskSpec
from scoring.leaderboard import Board, Cell, Row
from scoring.publish.formats import number, ranks


class Against(NamedTuple):
    """One task of the run: its value and the baseline measured in the same profile."""

    title: str
    value: str
    baseline: str


class Unpublished(NamedTuple):
    """One run. A board is there only when the run has others beside it."""

    row: Row
    published: Board | None
    season: Board | None
    places: tuple[str, ...]
    against: tuple[Against, ...]


def unpublished(previews: Sequence[Board], tasks: Mapping[str, TaskSpec]) -> list[Unpublished]:
    """One block for each previewed run, in the order of the previews."""
    runs: dict[str, list[tuple[Board, Row]]] = {}
    for board in previews:
        for row in board.rows:
            if row.kind == "preview":
                runs.setdefault(row.id, []).append((board, row))
    return [_block(pairs, tasks) for pairs in runs.values()]


def _block(pairs: Sequence[tuple[Board, Row]], tasks: Mapping[str, TaskSpec]) -> Unpublished:
    pairs = sorted(pairs, key=lambda pair: pair[0].id != "published")
    beside = {board.id: board for board, _ in pairs if any(other.kind == "entry" for other in board.rows)}
    places = tuple(_place(board, row) for board, row in pairs if board.id in beside and row.standings)
    widest, row = max(pairs, key=lambda pair: len(pair[0].tasks))
    return Unpublished(
        row=row,
        published=beside.get("published"),
        season=beside.get("season"),
        places=places,
        against=_against(widest, row, tasks),
    )


def _place(board: Board, row: Row) -> str:
    standing = row.standings[board.default_column]
    base = next((other for other in board.rows if other.kind == "baseline" and other.standings), None)
    theirs = f"; the baseline gets {number(base.standings[board.default_column].aup)}" if base else ""
    among = sum(other.kind == "entry" and bool(other.standings) for other in board.rows)
    one, several = ("published agent", "published agents") if board.id == "published" else ("entry", "entries")
    whom = f"the {among} {several}" if among != 1 else f"the one {one}"
    where = "" if board.id == "published" else " of the season"
    many = len(board.tasks)
    shared = f"the {many} tasks that can be compared" if many != 1 else "the one task that can be compared"
    stand = (
        f"it would stand at {ranks(standing.rank_low, standing.rank_high)} of {among + 1}"
        if standing.rank
        else "it has no place"
    )
    return f"Beside {whom}{where}, on {shared}, {stand} with an AUP of {number(standing.aup)}{theirs}."


def _against(board: Board, row: Row, tasks: Mapping[str, TaskSpec]) -> tuple[Against, ...]:
    return tuple(
        Against(task.title, _value(cell), number(_baseline(tasks.get(task.id), row, task.baseline)))
        for task, cell in zip(board.tasks, row.cells, strict=True)
        if cell.last.value is not None or cell.episodes
    )


def _value(cell: Cell) -> str:
    return "no valid artifact" if cell.last.value is None else number(cell.last.value)


def _baseline(task: TaskSpec | None, row: Row, otherwise: float | None) -> float | None:
    """Measured in the run's own profile, since smoke data are not the official ones."""
    measured = task.baseline(row.profile) if task else None
    return measured.value if measured else otherwise
