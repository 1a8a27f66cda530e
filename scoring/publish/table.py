"""The ranking as a reader sees it: every row of a board in the digits that are shown, and what is drawn in its cells.

Takes a Board, gives a Table. The HTML of the first rows and the file that a browser loads (scoring.publish.rows) are
both made from it, so that neither can say what the other does not. Never ranks, never sorts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.cells import Marks, marks
from scoring.leaderboard import Board, Row, Standing
from scoring.publish.cells import NO_WORSE, Outcome, beats_search, noted, outcome, searched
from scoring.publish.formats import count, exit_words, usd
from scoring.vocabulary import BASELINE, Column

FIRST = 50
"""Rows that stand in the HTML."""
WINDOW = 300
"""Rows above which a browser holds only those in sight."""
WHOLE = 2000
"""Rows above which the file that a browser loads by itself holds only the first LEADING."""
LEADING = 400
CODES: dict[Outcome, str] = {"best": "b", "above": "a", "below": "l", "none": "n", "absent": "x", "plain": "p"}
"""An outcome as a letter of a strip; a capital letter is a value with an audit note."""
_BEATEN = "ab"
_STEP = 11


class Line(NamedTuple):
    """One row. AUPs are in thousandths, as shown; `usd` has the digits that are shown; None: not known or none."""

    id: str
    label: str
    agent: str | None
    organization: str | None
    level: str | None
    open_weights: bool | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    band: int | None
    aup: int | None
    aup_low: int | None
    aup_high: int | None
    best: int | None
    usd: float | None
    strip: str
    search: int | None
    valid: int
    failure: str | None
    failed: int
    steps: int | None
    tokens: int | None
    date: str | None
    why: str | None

    @property
    def is_baseline(self) -> bool:
        return self.id == BASELINE

    @property
    def place(self) -> str:
        """`1-3`, `2`, or a dash."""
        if self.rank is None:
            return "–"
        if self.rank_low is None or self.rank_high is None or self.rank_low == self.rank_high:
            return str(self.rank)
        return f"{self.rank_low}–{self.rank_high}"

    @property
    def by(self) -> str:
        """Who built it, in one line."""
        if self.is_baseline:
            return "the tasks' own starting code"
        return " · ".join(part for part in (self.agent, self.organization) if part)

    @property
    def price(self) -> str:
        return "–" if self.is_baseline else usd(self.usd)

    @property
    def trouble(self) -> str:
        """The main failure and in how many episodes."""
        return f"{exit_words(self.failure)} · {self.failed}" if self.failure else "–"

    @property
    def effort(self) -> tuple[str, str]:
        """Steps and tokens."""
        return count(self.steps), count(self.tokens)


class Table(NamedTuple):
    """A board's rows, in the order of their ranks. `scale`: the ends of the whiskers' axis, in thousandths."""

    board: Board
    lines: tuple[Line, ...]
    scale: tuple[int, int]
    searched: int
    episodes: int

    @property
    def first(self) -> tuple[Line, ...]:
        return self.lines[:FIRST]

    @property
    def entries(self) -> int:
        return sum(not line.is_baseline for line in self.lines)

    @property
    def spans(self) -> bool:
        """Whether this reading gives intervals."""
        return any(line.aup_low is not None for line in self.lines)

    @property
    def is_long(self) -> bool:
        return len(self.lines) > WINDOW

    @property
    def is_split(self) -> bool:
        return len(self.lines) > WHOLE

    def whisker(self, line: Line) -> str:
        """The path of the interval and the value in a box of 200 by 8."""
        if line.aup is None or line.aup_low is None or line.aup_high is None:
            return ""
        low, high = self.scale

        def at(value: int) -> int:
            return math.floor(200 * (min(max(value, low), high) - low) / ((high - low) or 1) + 0.5)

        left, right, point = at(line.aup_low), at(line.aup_high), at(line.aup)
        return f"M{left} 3h{right - left}v2h{left - right}zM{point - 2} 0h4v8h-4z"


def table(board: Board) -> Table:
    """Every row of the board in its default column."""
    column = board.default_column
    drawn = marks(board.rows, column)
    if drawn is None:
        strips = [(_strip(row, column), beats_search(row, column)) for row in board.rows]
    else:
        strips = list(zip(_strips(board.rows, drawn, column), _searches(drawn), strict=True))
    lines = tuple(_line(board, row, *strip) for row, strip in zip(board.rows, strips, strict=True))
    episodes = max((row.episodes for row in board.rows), default=0)
    return Table(board, lines, _scale(lines), searched(board), episodes)


def _scale(lines: Sequence[Line]) -> tuple[int, int]:
    """Of the ranked entries, so that their intervals can be told apart; who lies beyond is drawn at its end."""
    ranked = [line for line in lines if line.rank] or lines
    ends = [end for line in ranked for end in (line.aup, line.aup_low, line.aup_high) if end is not None]
    return min(ends, default=0), max(ends, default=0)


def _line(board: Board, row: Row, strip: str, search: int | None) -> Line:
    column = board.default_column
    standing, other = row.standings.get(column), row.standings.get("last" if column == "best" else "best")
    span = standing.aup_interval if standing else None
    entry = row.entry
    return Line(
        id=row.id,
        label=row.label,
        agent=entry.agent if entry else None,
        organization=entry.organization if entry else None,
        level=row.level,
        open_weights=entry.open_weights if entry else None,
        rank=standing.rank if standing else None,
        rank_low=standing.rank_low if standing else None,
        rank_high=standing.rank_high if standing else None,
        band=standing.tie_group if standing else None,
        aup=_thousandths(standing),
        aup_low=round(1000 * span.low) if span else None,
        aup_high=round(1000 * span.high) if span else None,
        best=_thousandths(other),
        usd=_shown_usd(row.cost.usd_per_episode),
        strip=strip,
        search=search if row.kind != BASELINE else None,
        valid=row.valid_episodes,
        failure=row.dominant_failure,
        failed=row.exits.get(row.dominant_failure, 0) if row.dominant_failure else 0,
        steps=_three_digits(row.steps),
        tokens=_three_digits(row.input_tokens + row.output_tokens),
        date=entry.date if entry else None,
        why=row.not_ranked_because if row.kind != BASELINE else None,
    )


def _thousandths(standing: Standing | None) -> int | None:
    return round(1000 * standing.aup) if standing else None


def _shown_usd(value: float | None) -> float | None:
    return None if value is None else round(value, 4 if value < 0.1 else 2)


def _three_digits(value: int) -> int | None:
    """As many as are shown; 0 is "not recorded"."""
    if not value:
        return None
    step: int = 10 ** max(0, len(str(value)) - 3)
    return (value + step // 2) // step * step


def _strip(row: Row, column: Column) -> str:
    letters = ((CODES[outcome(row, cell, column)], cell) for cell in row.cells)
    return "".join(letter.upper() if noted(cell, column) else letter for letter, cell in letters)


def _strips(rows: Sequence[Row], drawn: Marks, column: Column) -> list[str]:
    """The strips of all rows at once; one by one where there are notes."""
    plain = np.array([row.kind == BASELINE for row in rows])[:, None]
    beaten = drawn.beats_baseline
    cases: list[tuple[Any, Outcome]] = [
        (plain & np.ones_like(drawn.known), "plain"),
        (~drawn.known & drawn.ran, "none"),
        (~drawn.known, "absent"),
        (beaten < 0, "plain"),
        (beaten == 0, "below"),
        (drawn.log10_ratio <= NO_WORSE, "best"),
    ]
    found: NDArray[np.str_] = np.select([case for case, _ in cases], [CODES[name] for _, name in cases], CODES["above"])
    letters: list[list[str]] = found.tolist()
    return [_strip(row, column) if row.notes else "".join(own) for row, own in zip(rows, letters, strict=True)]


def _searches(drawn: Marks) -> list[int | None]:
    """On how many tasks each row beats plain search."""
    known: NDArray[np.bool_] = np.asarray((drawn.beats_tuner >= 0).any(axis=1))
    many = (drawn.beats_tuner == 1).sum(axis=1)
    return [count if some else None for count, some in zip(many.tolist(), known.tolist(), strict=True)]


def strip_said(strip: str) -> str:
    """The whole strip in one sentence."""
    letters = strip.lower()
    failed, left = letters.count("n"), letters.count("x")
    good = sum(letter in _BEATEN for letter in letters)
    said = f"beats the baseline on {good} of {len(letters)} tasks"
    said += f", no valid score on {failed}" if failed else ""
    return said + (f", {left} not run" if left else "")


def strip_paths(strip: str) -> dict[str, str]:
    """Path by class of what is drawn: filled, half filled, hatched, a dash for "not run", a ring for an audit note."""
    paths: dict[str, str] = {}
    for place, letter in enumerate(strip):
        x = place * _STEP
        kind, path = _CELLS[letter.lower()]
        paths[kind] = paths.get(kind, "") + path.format(x=x, dash=x + 3, ring=x + 2)
        if letter.isupper():
            paths["q"] = paths.get("q", "") + _RING.format(x=x, ring=x + 2)
    return {kind: paths[kind] for kind in "balnq" if kind in paths}


_RING = "M{ring} 8a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"
_OUTLINE = "M{x}.5.5h8v15h-8z"
_CELLS = {
    "b": ("b", "M{x} 0h9v16h-9z"),
    "a": ("a", "M{x} 0h9v16h-9z"),
    "l": ("l", "M{x} 0h9v16h-9zm1 1v9h7v-9z"),
    "n": ("n", _OUTLINE + "m0 6l6-6m2 6l-8 8m2 1l6-6"),
    "x": ("n", "M{dash} 8h3"),
    "p": ("n", _OUTLINE),
}
