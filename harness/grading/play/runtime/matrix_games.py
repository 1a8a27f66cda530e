"""The loop that all two-player repeated games share: ask, check, let the column player move, pay.

Takes a Table and the Rules of one game, gives the Outcome (mean payoff per round, standard error over games).
The column player moves without seeing the row player's move of the same round.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .table import Foul, Outcome, Table
from .wire import WireError

if TYPE_CHECKING:
    from .draws import Draws
    from .wire import Array


class Rules(Protocol):
    """One game, vectorised: moves are i4 arrays of shape (games,), or (games, width) when width > 1."""

    width: int

    def fault(self, moves: Array) -> Array:
        """True for every game (games,) in which the row player's move is against the rules."""
        ...

    def legal(self) -> str:
        """What a legal move is, in words."""
        ...

    def column(self, rows: list[Array], columns: list[Array], draws: Draws, games: int) -> Array:
        """The column player's next moves, from the rounds already played."""
        ...

    def payoff(self, rows: Array, columns: Array) -> Array:
        """The row player's payoff of one round, (games,)."""
        ...


def play_games(table: Table, rules: Rules) -> Outcome:
    """Play params["games"] games of params["rounds"] rounds in lock step."""
    games, rounds = int(table.params["games"]), int(table.params["rounds"])
    shape = (games,) if rules.width == 1 else (games, rules.width)
    draws = table.draws("column player")
    seed = int(table.draws("player").integers(0, 2**31 - 1, 1)[0])
    start = {"file": "strategy.py", "function": "row_strategy", "seed": seed, "numpy": True}
    table.player.ask("start", {**start, "games": games, "width": rules.width})
    rows: list[Array] = []
    columns: list[Array] = []
    total = np.zeros(games)
    for number in range(rounds):
        moves = _ask(table, rules, shape, {"rows": rows[-1], "columns": columns[-1]} if rows else {}, number)
        replies = rules.column(rows, columns, draws, games).astype(np.int32)
        rows.append(moves)
        columns.append(replies)
        total += rules.payoff(moves, replies)
    means = total / rounds
    stderr = float(means.std(ddof=1)) / sqrt(games)
    return Outcome({"mean_payoff": float(means.mean())}, {"mean_payoff": stderr}, games)


def _ask(table: Table, rules: Rules, shape: tuple[int, ...], last: dict[str, Any], number: int) -> Array:
    try:
        moves = table.player.ask("round", {}, last).array("moves", "i4", shape)
    except WireError as error:
        raise Foul(f"round {number + 1}: {error}") from None
    faults = rules.fault(moves)
    if faults.any():
        game = int(faults.argmax())
        raise Foul(f"round {number + 1}, game {game}: {moves[game].tolist()} is no move: {rules.legal()}")
    return moves
