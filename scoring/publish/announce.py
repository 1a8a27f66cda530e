"""What others learn of the site: the feeds, and the cards that links to it show.

Takes a Content and a built folder, writes feeds/ and cards/. Never adds a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from scoring.publish.cards import Card, board_card, draw_cards, entry_card, leaders, task_card, write_cards
from scoring.publish.content import Content
from scoring.publish.entry import Shown
from scoring.publish.feeds import Feeds
from scoring.publish.templates import page_name


def begin_cards(content: Content) -> Mapping[str, Callable[[], str]]:
    """The ways to the cards; none when the site's address is not known."""
    return draw_cards(content.env, _cards(content)) if content.address else {}


def announce(built: Path, content: Content, cards: Mapping[str, Callable[[], str]]) -> None:
    """The feeds, and those cards."""
    shown = {one.row.id: (one.row, _aup(one)) for one in content.entries() if one.row.kind == "entry"}
    Feeds(content.leaderboard.ledger, shown, content.address, content.leaderboard.data_date).write(built)
    if cards:
        write_cards(built, cards)


def own_cards(content: Content) -> dict[str, str]:
    """Page name -> card, for the entries that have one of their own; the others show the board's."""
    return {page_name(row): name for name, row in leaders(content.opening)} if content.opening else {}


def _aup(shown: Shown) -> float | None:
    standing = shown.row.standings.get(shown.board.default_column)
    return standing.aup if standing else None


def _cards(content: Content) -> Iterator[tuple[str, Card]]:
    foot = f"data of {content.leaderboard.data_date}, scoring {content.leaderboard.scoring_version}"
    board = content.opening
    yield "board", board_card(board, foot)
    for name, task in content.tasks.items():
        on = next((one for one in board.tasks if one.id == name), None) if board else None
        yield f"task-{name}", task_card(board, on, task.title, task.summary, foot)
    if board:
        yield from ((name, entry_card(board, row, foot)) for name, row in leaders(board))
