"""Pictures for links to the site: one for the board, one a task, one for each leading entry.

Takes boards and rows, gives PNG files of 1200 x 630 pixels under cards/, drawn by vl-convert from an SVG template. The
same data give the same bytes. Text of an entry is escaped and cut to what fits. Never drawn when nobody knows the
site's address: a card is found by its absolute address only.
"""

from __future__ import annotations

import functools
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2

from scoring.cells import last_values
from scoring.leaderboard import Board, BoardTask, Row
from scoring.publish.cells import outcome
from scoring.publish.engine import ask
from scoring.publish.formats import number, ranks, usd, visible
from scoring.publish.kept import begun
from scoring.publish.templates import page_name

FOLDER = "cards"
ENTRIES = 20
"""Entries with a card of their own: a card takes about 0.1 s and 50 KB; the others show the board's."""
_BARS, _BAR_WIDTH, _ROOM = 5, 560, 1072
_COLOURS = ("#56b4e9", "#e69f00", "#00b583", "#d98fb8", "#f0e442")
_CELLS = {
    "best": ("#74c3f2", "#74c3f2"),
    "above": ("#2f6f97", "#2f6f97"),
    "below": ("#10151c", "#e69f00"),
    "none": ("#28323e", "#6f7b89"),
}
_OTHER_CELL = ("#10151c", "#4b5764")


class Bar(NamedTuple):
    """One line of a bar chart; `width` in pixels."""

    label: str
    value: str
    width: int
    colour: str


class Square(NamedTuple):
    """One task of an entry's strip."""

    fill: str
    stroke: str


class Card(NamedTuple):
    """What a card says. `title`: lines of at most the card's width; bars or a strip below, never both."""

    kicker: str
    title: tuple[str, ...]
    lines: tuple[str, ...]
    foot: str
    bars: tuple[Bar, ...] = ()
    strip: tuple[Square, ...] = ()

    @property
    def top(self) -> int:
        """Baseline of the first line below the title."""
        return 160 + 62 * len(self.title)

    @property
    def bars_top(self) -> int:
        """Upper edge of the bars or the strip."""
        return self.top + 40 * len(self.lines) + 4


def draw_cards(env: jinja2.Environment, cards: Iterator[tuple[str, Card]]) -> dict[str, Callable[[], str]]:
    """Each card under its name: the way to wait for its PNG in base64, kept from an earlier build or asked for now."""
    template = env.get_template("card.svg")
    drawings = ((name, template.render(card=card)) for name, card in cards)
    return {name: begun(f"card {svg}", functools.partial(ask, "png", svg)) for name, svg in drawings}


def write_cards(built: Path, cards: Mapping[str, Callable[[], str]]) -> None:
    """Each card under its name."""
    folder = built / FOLDER
    folder.mkdir()
    for name, drawn in cards.items():
        (folder / f"{name}.png").write_bytes(b64decode(drawn()))


def board_card(board: Board | None, foot: str) -> Card:
    """The board: its first finding and the leaders' AUP."""
    title = tuple(wrapped("Which agents can do AI research?", 54, 1))
    if board is None:
        return Card("", title, (), foot)
    rows = [row for row in board.rows if row.kind == "entry" and board.default_column in row.standings]
    values = [(row.label, row.standings[board.default_column].aup) for row in rows[:_BARS]]
    found = tuple(wrapped(board.sentences[0], 28, 2)) if board.sentences else ()
    return Card(board.title, title, found, foot, _bars(values))


def task_card(board: Board | None, task: BoardTask | None, title: str, summary: str, foot: str) -> Card:
    """A task: what is measured, and the best submissions on it."""
    lines = wrapped(summary, 28, 2)
    if board is None or task is None:
        return Card("task", tuple(wrapped(title, 54, 1)), tuple(lines), foot)
    better = "higher" if task.direction == "max" else "lower"
    lines.append(fitted(f"{task.metric}, {better} is better; baseline {number(task.baseline)}", 28))
    place = board.tasks.index(task)
    rows = [row for row in board.rows if row.kind == "entry"]
    found = zip(rows, last_values(rows, place), strict=True)
    values = [(row.label, value) for row, value in found if value is not None]
    values.sort(key=lambda one: one[1], reverse=task.direction == "max")
    return Card("task", tuple(wrapped(title, 54, 1)), tuple(lines), foot, _bars(values[: _BARS - (len(lines) > 2)]))


def entry_card(board: Board, row: Row, foot: str) -> Card:
    """An entry: rank, AUP with its interval, cost, and one square a task."""
    standing = row.standings.get(board.default_column)
    facts = [f"level {row.level or 'none'}", f"{row.valid_episodes} of {row.episodes} episodes valid"]
    facts.append(f"{usd(row.cost.usd_per_episode)} an episode")
    lines = [fitted(" · ".join(facts), 28)]
    if standing:
        span = standing.aup_interval
        around = f" ({number(span.low)} to {number(span.high)})" if span else ""
        place = f"rank {ranks(standing.rank_low, standing.rank_high)}, " if standing.rank else ""
        lines.insert(0, f"{place}AUP {number(standing.aup)}{around}")
    strip = tuple(Square(*_CELLS.get(outcome(row, cell, board.default_column), _OTHER_CELL)) for cell in row.cells)
    return Card(fitted(board.title, 30), tuple(wrapped(row.label, 54, 2)), tuple(lines), foot, strip=strip)


def leaders(board: Board) -> Iterator[tuple[str, Row]]:
    """Name and row of each card that an entry has to itself."""
    for row in [row for row in board.rows if row.kind == "entry"][:ENTRIES]:
        yield f"entry-{page_name(row)}", row


def _bars(values: Sequence[tuple[str, float]]) -> tuple[Bar, ...]:
    """Bars from zero, or from the least where a value is negative."""
    if not values:
        return ()
    numbers = [value for _, value in values]
    least = min(0.0, *numbers)
    span = max(numbers) - least or 1.0
    return tuple(
        Bar(fitted(label, 25, 380), number(value), max(4, round(_BAR_WIDTH * (value - least) / span)), colour)
        for (label, value), colour in zip(values, _COLOURS, strict=False)
    )


def fitted(text: str, size: int, room: int = _ROOM) -> str:
    """One line of text cut to `room` pixels at `size` pixels a letter, without any character that cannot be seen."""
    clean = " ".join(visible(text).split())
    if _wide(clean, size) <= room:
        return clean
    kept = ""
    for letter in clean:
        if _wide(f"{kept}{letter}…", size) > room:
            break
        kept += letter
    return f"{kept.rstrip()}…"


def wrapped(text: str, size: int, lines: int) -> list[str]:
    """Text in at most `lines` lines; the last one is cut."""
    words, found = " ".join(visible(text[:2000]).split()).split(" "), list[str]()
    while words and len(found) < lines - 1:
        line = ""
        while words and _wide(f"{line} {words[0]}", size) <= _ROOM:
            line = f"{line} {words.pop(0)}".strip()
        if not line:
            break
        found.append(line)
    return [*found, fitted(" ".join(words), size)] if words else found


def _wide(text: str, size: int) -> float:
    """Pixels, about: a letter of the card's type is 0.56 as wide as high, an ideograph as wide as high."""
    return sum(size * (1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.56) for letter in text)
