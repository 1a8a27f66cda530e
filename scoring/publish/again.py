"""The published scores of the games that our referee graded again, as the Published page shows them.

Takes the kept table, gives one Game each: how many scores agree, and every one that does not. Never grades.
"""

from __future__ import annotations

from typing import NamedTuple

from harness.schema.paper import RegradedScore, read_rows, table_file


class Game(NamedTuple):
    """One game. `largest`: the largest difference among the scores that agree, in combined standard errors."""

    task: str
    scores: int
    agree: int
    largest: float
    others: list[RegradedScore]


def again() -> list[Game]:
    """Every game of the table, in its order."""
    rows = read_rows(table_file().read_text(encoding="utf-8"))
    games = {row.task: [one for one in rows if one.task == row.task] for row in rows}
    return [_game(task, games[task]) for task in sorted(games)]


def _game(task: str, rows: list[RegradedScore]) -> Game:
    agreeing = [row for row in rows if row.finding == "agrees"]
    largest = max((abs(row.sigmas) for row in agreeing if row.sigmas is not None), default=0.0)
    return Game(task, len(rows), len(agreeing), largest, [row for row in rows if row.finding != "agrees"])
