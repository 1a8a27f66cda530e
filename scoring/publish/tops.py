"""Who is shown on a task's page: everybody on a small board, the leaders on that task on a large one.

Takes a Board and a task's place in it, gives rows. Never ranks: values are compared as the board holds them.
"""

from __future__ import annotations

import numpy as np

from harness.schema.vocabulary import SIGN
from scoring.cells import last_numbers
from scoring.conduct import Leader
from scoring.leaderboard import Board, Row

TOP = 10
LINES = 5


def leading(board: Board, place: int, many: int) -> list[Row]:
    """The entries with the best submitted values on the task, best first, at most `many`."""
    rows = [row for row in board.rows if row.kind == "entry"]
    sign = SIGN[board.tasks[place].direction]
    values = -sign * last_numbers(rows, place)
    known = np.flatnonzero(~np.isnan(values))
    if known.size > many:
        known = known[values[known] <= np.partition(values[known], many - 1)[many - 1]]
    best = sorted((values[at], rows[at].id, at) for at in known.tolist())
    return [rows[at] for _, _, at in best[:many]]


def shown(board: Board, place: int) -> list[Row]:
    """The rows of the task's table: on a board of more than TOP entries the leading ones, then the baseline."""
    entries = [row for row in board.rows if row.kind == "entry"]
    others = [row for row in board.rows if row.kind != "entry"]
    return [*(entries if len(entries) <= TOP else leading(board, place, TOP)), *others]


def leaders(board: Board) -> list[Leader]:
    """Whose progress each task's page draws."""
    return [
        Leader(row.id, task.id, task.metric)
        for place, task in enumerate(board.tasks)
        for row in leading(board, place, LINES)
    ]
