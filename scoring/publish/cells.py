"""How one entry did on one task, in a class for the eye and in words for the ear.

Takes rows and scores of a Board, gives outcomes and labels.
"""

from __future__ import annotations

import math
from typing import Literal

from scoring.leaderboard import Board, Cell, Row, Score
from scoring.publish.formats import number, slug_words
from scoring.vocabulary import Column

Outcome = Literal["absent", "none", "below", "above", "best", "plain"]
WORDS: dict[Outcome, str] = {
    "absent": "not run",
    "none": "no valid score",
    "below": "not above the baseline",
    "above": "beats the baseline",
    "best": "best value of the board",
    "plain": "not compared with a baseline",
}

NO_WORSE = 1e-9
"""A log10 ratio to the best value up to which a value is the best itself."""


def score_of(cell: Cell, column: Column) -> Score:
    """The cell's score in one column."""
    return cell.best if column == "best" else cell.last


def outcome(row: Row, cell: Cell, column: Column) -> Outcome:
    """How the cell is drawn. Ties at the best value are all `best`."""
    score = score_of(cell, column)
    if row.kind == "baseline":
        return "plain"
    if score.value is None:
        return "none" if cell.exits else "absent"
    if score.beats_baseline is None:
        return "plain"
    if not score.beats_baseline:
        return "below"
    return "best" if score.log10_ratio is not None and score.log10_ratio <= NO_WORSE else "above"


def cell_words(row: Row, cell: Cell, column: Column) -> str:
    """`house price: 0.912, beats the baseline`."""
    kind = outcome(row, cell, column)
    value = "" if kind in ("none", "absent") else f"{number(score_of(cell, column).value)}, "
    return f"{slug_words(cell.task)}: {value}{outcome_words(row, cell, column)}"


def outcome_words(row: Row, cell: Cell, column: Column) -> str:
    """`beats the baseline`: where the task and the value stand beside it."""
    remark = "; this published value is known to be invalid" if noted(cell, column) else ""
    return WORDS[outcome(row, cell, column)] + remark


def noted(cell: Cell, column: Column) -> bool:
    """Whether the very value that is shown carries an audit note; another seed's note does not count."""
    value = score_of(cell, column).value
    return value is not None and any(math.isclose(note.value, value, rel_tol=1e-9) for note in cell.notes)


def closeness(board: Board, score: Score) -> float | None:
    """Percent of the way from tau_max (0) to the reference value (100); clamped. None: no ratio."""
    if score.value is None or score.log10_ratio is None:
        return None
    return round(100 * (1 - min(max(score.log10_ratio / board.constants.tau_max, 0.0), 1.0)), 2)


def searched(board: Board) -> int:
    """On how many of the board's tasks plain search has been run."""
    return sum(task.tuner is not None for task in board.tasks)


def beats_search(row: Row, column: Column) -> int | None:
    """On how many tasks the row beats plain search; None where nobody can say: no search, or none of them was run."""
    said = [score_of(cell, column).beats_tuner for cell in row.cells]
    return None if all(one is None for one in said) else sum(one is True for one in said)
