"""A board's cells are arrays until somebody looks: what is seen is what pydantic would have read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from harness.schema.vocabulary import Direction
from scoring.build import build, leaderboard
from scoring.cells import Cells, cell_table, ends, last_values, marks
from scoring.leaderboard import Board, Leaderboard, Row
from scoring.publish.said import said, stands
from scoring.publish.table import table
from scoring.records import Curves, Points
from scoring.vocabulary import COLUMNS, Column
from tests.scoring.builder import GOOD, everywhere
from tests.scoring.conftest import Enter


@pytest.fixture
def records(submissions: Path, enter: Enter) -> Leaderboard:
    enter("honest", everywhere(GOOD))
    enter("failing", everywhere({**GOOD, "colonel-blotto": -0.1}) | {"house-price": [[]] * 4})
    enter("partial", everywhere({"house-price": 0.9}))
    with build(submissions) as built:
        return leaderboard(built)


def season(records: Leaderboard) -> Board:
    board = records.board("season", "season")
    assert board is not None
    return board


def read(rows: Sequence[Row]) -> list[Row]:
    return [Row.model_validate_json(row.model_dump_json()) for row in rows]


def test_the_strict_reader_finds_nothing_to_change(records: Leaderboard) -> None:
    text = records.model_dump_json()
    again = Leaderboard.model_validate_json(text)
    assert again == records
    assert again.model_dump_json() == text


def test_what_is_ranked_in_little_memory_says_the_same(submissions: Path, enter: Enter) -> None:
    enter("honest", everywhere(GOOD))
    enter("failing", everywhere({**GOOD, "colonel-blotto": -0.1}) | {"house-price": [[]] * 4})
    found = []
    for sparing in (False, True):
        with build(submissions, sparing=sparing) as built:
            found.append(leaderboard(built).model_dump_json())
            [(threads,)] = built.facts.db.execute("SELECT current_setting('threads')").fetchall()
            assert threads == duckdb.execute("SELECT current_setting('threads')").fetchall()[0][0]
    assert found[0] == found[1]


def test_curves_and_points_are_tables_until_somebody_looks(records: Leaderboard) -> None:
    board = season(records)
    for made, size in ((board.curves, 6), (board.pareto, 4)):
        assert not isinstance(made, tuple) and len(made) == size, "best and last of two that are whole; the baseline's"
        assert tuple(made) == made[:] == tuple(made[place] for place in range(len(made)))
        assert made[-1].row == made[size - 1].row
    shown = {row.id for row in board.rows if row.standings}
    assert {curve.row for curve in board.curves} == shown


@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_a_point_that_is_none_is_refused(value: float | None) -> None:
    columns = {"entry": ["one"], "score": ["last"]}
    profiles = pl.DataFrame({**columns, "tau": [value], "rho": [0.5]}, strict=False)
    with pytest.raises(ValueError, match="is none"):
        Curves(profiles, pl.DataFrame({**columns, "aup": [0.5]}))
    line = {"row": ["one"], "column": ["last"], "cost_usd": [None], "aup": [value], "frontier": [False]}
    with pytest.raises(ValueError, match="is none"):
        Points(
            pl.DataFrame(
                line,
                {
                    "row": pl.String,
                    "column": pl.String,
                    "cost_usd": pl.Float64,
                    "aup": pl.Float64,
                    "frontier": pl.Boolean,
                },
            )
        )


def test_a_place_a_slice_and_all_are_the_same_cells(records: Leaderboard) -> None:
    cells = season(records).rows[0].cells
    assert tuple(cells) == tuple(cells[place] for place in range(len(cells))) == cells[:]
    assert cells[-1].task == season(records).tasks[-1].id
    with pytest.raises(IndexError):
        cells[len(cells)]


def test_a_column_of_arrays_says_what_the_cells_say(records: Leaderboard) -> None:
    rows = season(records).rows
    for place in range(len(season(records).tasks)):
        assert last_values(rows, place) == last_values(read(rows), place)
        assert ends(rows, place) == ends(read(rows), place)
    assert last_values(rows, 0).count(None) == 1, "who fails has no value there"
    assert sum(ends(rows, 0).exits.values()) == 12, "three entries ran four seeds each"
    assert sum(ends(rows, 1).exits.values()) == 8, "one of them is partial"


def test_a_ranking_is_drawn_from_arrays_as_from_records(records: Leaderboard) -> None:
    for board in records.boards:
        assert marks(board.rows, "last") is not None and marks(read(board.rows), "last") is None
        for column in COLUMNS:
            drawn = board.model_copy(update={"default_column": column})
            assert table(drawn).lines == table(drawn.model_copy(update={"rows": tuple(read(board.rows))})).lines
    strips = {line.id: line.strip for line in table(season(records)).lines}
    assert len(set(strips.values())) == 4, "honest, failing, partial and the baseline look different"


@pytest.mark.parametrize("array", ["numbers", "said", "counts", "tokens", "exits", "episodes"])
def test_whatever_a_cell_says_is_in_the_digest_of_its_row(records: Leaderboard, array: str) -> None:
    row = next(row for row in season(records).rows if row.id == "failing")
    before, cells = said(row), row.cells
    assert isinstance(cells, Cells) and said(row) == before
    values = getattr(cells.table, array).copy()
    values[cells.number] = np.nan_to_num(values[cells.number]) * 0
    other = Cells(replace(cells.table, **{array: values}), cells.number)
    assert said(row.model_copy(update={"cells": other})) != before
    assert said(row.model_copy(update={"level": "signed"})) != before
    assert said(row.model_copy(update={"standings": {}})) == before
    assert stands(row.model_copy(update={"standings": {}})) != stands(row)


@pytest.mark.parametrize("column", ["value", "contribution"])
def test_no_number_is_infinite(column: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        cell_table(*TASK, of(scores(**{column: np.inf})), TOKENS, [], {})


def test_a_contribution_is_a_number_and_every_row_is_there() -> None:
    with pytest.raises(ValueError, match="not a number"):
        cell_table(*TASK, of(scores(contribution=np.nan)), TOKENS, [], {})
    with pytest.raises(ValueError, match="lacks a row"):
        cell_table(*TASK, of(scores().filter(pl.col("score") == "best")), TOKENS, [], {})


TASK: tuple[list[tuple[str, str, Direction]], list[str]] = ([("house-price", "r2", "max")], ["baseline"])
TOKENS = {name: np.array([], dtype=np.int64) for name in ("place", "task_no", "a", "b", "c", "d", "e")}


def of(table: pl.DataFrame) -> Callable[[Column], pl.DataFrame]:
    """The rows of one kind of score."""
    return lambda score: table.filter(pl.col("score") == score)


def scores(**changes: float) -> pl.DataFrame:
    """The table of one row."""
    numbers = dict.fromkeys(("value", "mean", "stderr", "log10_ratio", "contribution", "one_look", "gap"), 0.5)
    said = dict.fromkeys(("feasible", "beats_baseline", "beats_tuner"), True)
    counts = {"validate_calls": 1, "valid_episodes": 4, "seeds": [0.5, 0.5, 0.5, None]}
    line = {"entry": "baseline", "task": "house-price", **numbers, **said, **counts, **changes}
    return pl.DataFrame([{"score": score, **line} for score in ("best", "last")])
