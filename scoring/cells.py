"""The cells of a ranking as arrays: one number a row, task and figure, and a Cell when somebody looks at one.

Takes the table of scores, how episodes ended, tokens and notes; gives the cells of each row. Checks all numbers at once
as a record would check its own. Never computes a figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from harness.schema.bundle import AuditNote
from harness.schema.vocabulary import Direction
from scoring.leaderboard import Cell, Row, Score
from scoring.made import Made, trusted
from scoring.profiles import Bools, Floats
from scoring.stats import SEEDS
from scoring.vocabulary import COLUMNS, Column

_FIGURES = ("value", "mean", "stderr", "log10_ratio", "contribution")
_SAID = ("feasible", "beats_baseline", "beats_tuner")
_KNOWN = ("feasible",)
"""True or false, never unknown; and so contributions are numbers."""
_NUMBERS = len(_FIGURES) + SEEDS
_COUNTS = ("validate_calls", "valid_episodes")
_UNKNOWN = -1
Notes = Mapping[tuple[int, int], tuple[AuditNote, ...]]


@dataclass(frozen=True)
class CellTable:
    """Every cell of one ranking; each array begins with (rows, tasks). Rows: the entries in order, then the baseline.

    `numbers`: by column of _FIGURES and each seed, then one_look and gap; NaN: none. `said`: by column of _SAID; -1:
    unknown. `exits`: a place in `ended`. `tokens`: -1: unknown. `episodes` (rows,): expected on a task.
    """

    tasks: tuple[tuple[str, str, Direction], ...]
    numbers: Floats
    said: NDArray[np.int8]
    counts: NDArray[np.int64]
    exits: NDArray[np.int32]
    ended: tuple[dict[str, int], ...]
    tokens: NDArray[np.int64]
    notes: Notes
    episodes: NDArray[np.int64]

    def row(self, place: int) -> Cells:
        """The cells of one row, in the order of the tasks."""
        return Cells(self, place)

    def exits_of(self, place: int) -> dict[str, int]:
        """How many episodes of one row ended in which way, by name."""
        total = Counter[str]()
        for kind in self.exits[place].tolist():
            total.update(self.ended[kind])
        return dict(sorted(total.items()))

    def said_of(self, place: int) -> bytes:
        """Everything that the cells of one row say, in bytes that differ when they do."""
        numbers = (self.numbers[place], self.said[place], self.counts[place], self.tokens[place])
        ended = [self.ended[kind] for kind in self.exits[place].tolist()]
        notes = [[note.model_dump_json() for note in self.notes.get((place, at), ())] for at in range(len(self.tasks))]
        words = repr((self.tasks, ended, notes, int(self.episodes[place]), [array.shape for array in numbers]))
        return b"".join([words.encode(), *(array.tobytes() for array in numbers)])

    def valid_episodes(self, place: int) -> int:
        return int(self.counts[place, :, _COUNTS.index("valid_episodes")].sum())


def cell_table(
    tasks: Sequence[tuple[str, str, Direction]],
    rows: Sequence[str],
    scores: Callable[[Column], pl.DataFrame],
    tokens: Mapping[str, NDArray[Any]],
    exits: Iterable[tuple[int, int, str, int]],
    notes: Notes,
) -> CellTable:
    """`rows`: names in order, the baseline last. `scores`: the table task_scores, one kind of score of it. `tokens`:
    columns place, task_no, then the counts of Cell.tokens. `exits`: row, task, how episodes ended and how many did, in
    this order. `notes`: by row and task. Raises ValueError on a number that is none."""
    shape = (len(rows), len(tasks))
    ended: dict[tuple[tuple[str, int], ...], int] = {(): 0}
    places = np.zeros(shape, dtype=np.int32)
    for where, lines in groupby(exits, key=itemgetter(0, 1)):
        places[where] = ended.setdefault(tuple((status, many) for _, _, status, many in lines), len(ended))
    used = np.full((*shape, len(tokens) - 2), _UNKNOWN, dtype=np.int64)
    rows_no, tasks_no, *counts = tokens.values()
    if any(np.ma.getmaskarray(count).any() for count in counts):
        raise ValueError("a count of tokens is not known")
    used[np.asarray(rows_no, dtype=np.intp), np.asarray(tasks_no, dtype=np.intp)] = np.stack(counts, axis=1)
    del exits, tokens, rows_no, tasks_no, counts  # before the scores, which are the most
    names, signs = [task for task, _, _ in tasks], list[NDArray[np.int8]]()
    numbers = np.empty((*shape, len(COLUMNS) * _NUMBERS + 2))
    for at, score in enumerate(COLUMNS):  # not both together: the table is ten times as large as what is taken from it
        part = scores(score)
        order = _order(part, rows, names)
        for place, column in enumerate(_numbers(part), at * _NUMBERS):
            numbers[..., place] = column[order].reshape(shape)
        signs += (part[name].cast(pl.Int8).fill_null(_UNKNOWN).to_numpy()[order].reshape(shape) for name in _SAID)
        for place, name in enumerate(("one_look", "gap"), len(COLUMNS) * _NUMBERS):
            numbers[..., place] = _floats(part[name])[order].reshape(shape)
        calls = np.stack([part[name].to_numpy()[order].reshape(shape) for name in _COUNTS], axis=2).astype(np.int64)
        del part  # before the next one is made
    said = np.stack(signs, axis=2)
    _check(numbers, said)
    return CellTable(
        tuple(tasks),
        numbers,
        said,
        calls,
        places,
        tuple(map(dict, ended)),
        used,
        notes,
        np.array([SEEDS] * (len(rows) - 1) + [0], dtype=np.int64),
    )


def _order(scores: pl.DataFrame, rows: Sequence[str], tasks: Sequence[str]) -> NDArray[np.intp]:
    """Where in the table the lines of each row and task lie, in this order."""
    row, task = (
        scores[name].cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(_UNKNOWN).to_numpy()
        for name, known in (("entry", rows), ("task", tasks))
    )
    place = np.where((row < 0) | (task < 0), _UNKNOWN, row * len(tasks) + task)
    order = np.argsort(place, kind="stable")[np.count_nonzero(place < 0) :]
    if not np.array_equal(place[order], np.arange(len(rows) * len(tasks))):
        raise ValueError("the table of scores lacks a row, or has one twice")
    return order


def _numbers(scores: pl.DataFrame) -> Iterator[Floats]:
    yield from (_floats(scores[name]) for name in _FIGURES)
    yield from _floats(scores["seeds"].explode()).reshape(-1, SEEDS).T


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _check(numbers: Floats, said: NDArray[np.int8]) -> None:
    """What the records would refuse."""
    places = [at * _NUMBERS + _FIGURES.index("contribution") for at in range(len(COLUMNS))]
    known = [at * len(_SAID) + _SAID.index(name) for at in range(len(COLUMNS)) for name in _KNOWN]
    if np.isinf(numbers).any() or np.isnan(numbers[..., places]).any() or (said[..., known] == _UNKNOWN).any():
        raise ValueError("a score of the board is not a number")


class Cells(Made[Cell]):
    """Of the row with this number in the table."""

    __slots__ = ("number", "table")

    def __init__(self, table: CellTable, row: int) -> None:
        self.table, self.number = table, row

    def __len__(self) -> int:
        return len(self.table.tasks)

    def said(self) -> bytes:
        """All that they say, in bytes that differ when they do."""
        return self.table.said_of(self.number)

    def make(self, place: int) -> Cell:
        return next(self._some(slice(place, place + 1)))

    def __iter__(self) -> Iterator[Cell]:
        return self._some(slice(0, len(self)))

    def _some(self, some: slice) -> Iterator[Cell]:
        """Arrays become lists for all of them at once: that is most of the work."""
        table, row = self.table, self.number
        lists = (array[row, some].tolist() for array in (table.numbers, table.said, table.counts, table.exits))
        tokens, episodes = table.tokens[row, some].tolist(), int(table.episodes[row])
        for place, numbers, said, counts, ended, used in zip(range(some.start, some.stop), *lists, tokens, strict=True):
            task, metric, direction = table.tasks[place]
            found = [None if number != number else number for number in numbers]
            yield trusted(
                Cell,
                {
                    "task": task,
                    "metric": metric,
                    "direction": direction,
                    "best": _score(found, said, 0),
                    "last": _score(found, said, 1),
                    "valid_episodes": counts[1],
                    "episodes": episodes,
                    "validate_calls": counts[0],
                    "one_look": found[-2],
                    "gap": found[-1],
                    "exits": table.ended[ended],
                    "tokens": None if used[0] == _UNKNOWN else tuple(used),
                    "notes": table.notes.get((row, place), ()),
                },
            )


def _score(numbers: Sequence[float | None], said: Sequence[int], at: int) -> Score:
    """`at`: which of COLUMNS."""
    value, mean, stderr, ratio, share, *seeds = numbers[at * _NUMBERS : (at + 1) * _NUMBERS]
    feasible, baseline, tuner = said[at * len(_SAID) : (at + 1) * len(_SAID)]
    return trusted(
        Score,
        {
            "value": value,
            "mean": mean,
            "stderr": stderr,
            "seeds": tuple(seeds),
            "log10_ratio": ratio,
            "feasible": feasible == 1,
            "beats_baseline": None if baseline == _UNKNOWN else baseline == 1,
            "beats_tuner": None if tuner == _UNKNOWN else tuner == 1,
            "contribution": share,
        },
    )


class Ends(NamedTuple):
    """How the episodes of several rows on one task ended; `failed`: without a value in either column."""

    exits: dict[str, int]
    valid: int
    failed: int


def last_values(rows: Sequence[Row], place: int) -> list[float | None]:
    """What each row handed in on the task at `place`."""
    return [None if value != value else value for value in last_numbers(rows, place).tolist()]


def last_numbers(rows: Sequence[Row], place: int) -> Floats:
    """The same as an array, NaN where there is none."""
    if (found := _together(rows)) is None:
        values = [row.cells[place].last.value for row in rows]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    table, numbers = found
    return np.asarray(table.numbers[numbers, place, _NUMBERS * COLUMNS.index("last")])


def ends(rows: Sequence[Row], place: int) -> Ends:
    """Of all the rows together, on the task at `place`."""
    if (found := _together(rows)) is None:
        cells = [row.cells[place] for row in rows]
        counts = Counter[str]()
        for cell in cells:
            counts.update({str(status): many for status, many in cell.exits.items()})
        failed = sum(
            sum(cell.exits.values()) - sum(value is not None for value in cell.best.seeds)
            for cell in cells
            if cell.exits
        )
        return Ends(dict(counts), sum(cell.valid_episodes for cell in cells), failed)
    table, numbers = found
    kinds = table.exits[numbers, place]
    counts = Counter[str]()
    for kind, many in zip(*np.unique(kinds, return_counts=True), strict=True):
        for status, episodes in table.ended[kind].items():
            counts[status] += int(many) * episodes
    first = len(_FIGURES) + _NUMBERS * COLUMNS.index("best")
    scored = ~np.isnan(table.numbers[numbers[kinds > 0], place, first : first + SEEDS])
    valid = int(table.counts[numbers, place, _COUNTS.index("valid_episodes")].sum())
    return Ends(dict(counts), valid, counts.total() - int(scored.sum()))


class Marks(NamedTuple):
    """Of several rows what a drawing of all their cells shows, each (rows, tasks); -1 in `beats_*`: unknown. `ran`: an
    episode ended; `log10_ratio` NaN: none is defined."""

    known: Bools
    ran: Bools
    beats_baseline: NDArray[np.int8]
    beats_tuner: NDArray[np.int8]
    log10_ratio: Floats


def marks(rows: Sequence[Row], column: Column) -> Marks | None:
    """None where the cells of these rows do not lie in one table."""
    if (found := _together(rows)) is None:
        return None
    table, numbers = found
    first, at = _NUMBERS * COLUMNS.index(column), len(_SAID) * COLUMNS.index(column)
    ended = np.array([bool(ways) for ways in table.ended])
    return Marks(
        ~np.isnan(table.numbers[numbers, :, first]),
        ended[table.exits[numbers]],
        table.said[numbers, :, at + _SAID.index("beats_baseline")],
        table.said[numbers, :, at + _SAID.index("beats_tuner")],
        table.numbers[numbers, :, first + _FIGURES.index("log10_ratio")],
    )


def _together(rows: Sequence[Row]) -> tuple[CellTable, NDArray[np.intp]] | None:
    """The one table that holds the cells of all rows, and their places in it, if there is one."""
    found: list[Any] = [row.cells for row in rows]
    table = found[0].table if found and isinstance(found[0], Cells) else None
    if table is None or not all(isinstance(cells, Cells) and cells.table is table for cells in found):
        return None
    return table, np.array([cells.number for cells in found], dtype=np.intp)
