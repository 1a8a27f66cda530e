"""The page of failures and actions: how episodes end and what agents do when, per agent and per task.

Takes a Board and its Conduct, gives what failures.html prints. Computes no score; every count is of the board's record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scoring.cells import ends
from scoring.conduct import BINS, Conduct, Tenths
from scoring.leaderboard import Board, Row
from scoring.publish.episodes import GROUPS
from scoring.publish.formats import exit_words
from scoring.publish.mix import Band, bands

MAX_ROWS = 25
MAX_MIXES = 8
ENDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("success", ("success",)),
    ("no valid artifact", ("evaluation_error",)),
    ("step limit", ("max_steps",)),
    ("another limit", ("format", "context", "cost", "wall_time")),
    ("broke or not recorded", ("runtime", "permission", "interrupted", "unknown")),
)
"""Exits in five groups: more colours than these cannot be told apart."""


class Part(NamedTuple):
    """One group's share of a bar, in percent."""

    name: str
    colour: int
    episodes: int
    percent: float


class Ended(NamedTuple):
    """How the episodes of one agent or one task ended. `failed`: without any score."""

    row: Row | None
    id: str
    title: str
    episodes: int
    valid: int
    failed: int
    parts: tuple[Part, ...]
    main: str


class Mixed(NamedTuple):
    """What one agent, or everybody on one task, did when."""

    title: str
    bands: tuple[Band, ...]


class Failures(NamedTuple):
    """One board's part of the page."""

    board: Board
    sentences: tuple[str, ...]
    agents: tuple[Ended, ...]
    left_out: int
    tasks: tuple[Ended, ...]
    ends: tuple[Band, ...]
    agent_mixes: tuple[Mixed, ...]
    task_mixes: tuple[Mixed, ...]


def shown_entries(board: Board) -> list[str]:
    """Whose actions the page draws one by one."""
    return [row.id for row in board.rows if row.kind == "entry"][:MAX_MIXES]


def failures(board: Board, conduct: Conduct) -> Failures | None:
    """None on a board of which no episode is known."""
    rows = [row for row in board.rows if row.kind == "entry" and row.exits]
    if not rows:
        return None
    tasks = tuple(ended(board, place) for place in range(len(board.tasks)))
    return Failures(
        board,
        tuple(_sentences(rows, tasks)),
        tuple(map(_agent, rows[:MAX_ROWS])),
        max(0, len(rows) - MAX_ROWS),
        tasks,
        bands([(name, _summed(conduct.ends, statuses, BINS)) for name, statuses in ENDS], filled=False),
        tuple(Mixed(row.label, mixed(conduct.entries[row.id])) for row in rows if row.id in conduct.entries),
        tuple(Mixed(task.title, mixed(conduct.tasks[task.id])) for task in board.tasks if task.id in conduct.tasks),
    )


def mixed(tenths: Tenths) -> tuple[Band, ...]:
    """Letters as the five groups of actions."""
    return bands([(name, _summed(tenths, letters, 10)) for name, letters in GROUPS])


def _summed(counts: Mapping[str, tuple[int, ...]], names: Iterable[str], size: int) -> tuple[int, ...]:
    chosen = [counts[name] for name in names if name in counts]
    return tuple(map(sum, zip(*chosen, strict=True))) if chosen else (0,) * size


def parts(exits: Mapping[str, int]) -> tuple[Part, ...]:
    """The bar of one count of exits."""
    total = sum(exits.values()) or 1
    groups = [(name, sum(exits.get(status, 0) for status in statuses)) for name, statuses in ENDS]
    return tuple(
        Part(name, place, many, round(100 * many / total, 2)) for place, (name, many) in enumerate(groups, 1) if many
    )


def _agent(row: Row) -> Ended:
    exits = {str(status): many for status, many in row.exits.items()}
    total = sum(exits.values())
    return Ended(row, row.id, row.label, total, row.valid_episodes, row.failed, parts(exits), _main(exits))


def ended(board: Board, place: int) -> Ended:
    """How everybody's episodes on the task at `place` ended."""
    task = board.tasks[place]
    exits, valid, failed = ends([row for row in board.rows if row.kind == "entry"], place)
    return Ended(None, task.id, task.title, sum(exits.values()), valid, failed, parts(exits), _main(exits))


def _main(exits: Mapping[str, int]) -> str:
    bad = {status: many for status, many in exits.items() if status not in ("success", "max_steps")}
    worst = max(sorted(bad), key=lambda status: bad[status], default="")
    return f"{exit_words(worst)} ({bad[worst]})" if worst else "none"


def _sentences(rows: Sequence[Row], tasks: tuple[Ended, ...]) -> Iterable[str]:
    counts = [sum(row.exits.values()) for row in rows]
    episodes, failed = sum(counts), sum(row.failed for row in rows)
    yield f"{failed:,} of {episodes:,} episodes ended without any score ({failed / (episodes or 1):.0%})."
    worst = max(tasks, key=lambda one: one.failed / (one.episodes or 1))
    if worst.failed:
        yield f"{worst.title} fails most often: {worst.failed:,} of {worst.episodes:,} episodes have no score."
    most = max(counts)
    whole = [row for row, many in zip(rows, counts, strict=True) if many == most]
    best = min(whole, key=lambda row: (row.failed, row.label))
    if len(whole) > 1:
        yield f"{best.label} fails least often: {best.failed:,} of {most:,} episodes have no score."
