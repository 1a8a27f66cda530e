"""Plays repeated games with a function `strategy(history) -> move`: the player's side of matrix_games.py.

Messages: `start` {"file", "function", "seed", "numpy": true, "games", "width"}, then `round` once a round: the first
without arrays, later ones with `rows` and `columns` of the round just played (i4, shape (games,), or (games, width)
when a move has several integers). Reply: `moves` in the same shape. Each call gets a fresh list of (row, column)
tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .artifact import load_function

if TYPE_CHECKING:
    from .wire import Array, Message

I4 = 2**31


class StrategyAdapter:
    """Keeps every game's history on the player's side; the strategy only ever sees copies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._strategy: Callable[[list[Any]], Any]
        self._histories: list[list[Any]]
        self._width = 1

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        if message.kind == "start":
            self._strategy = load_function(self._folder, message.meta)
            self._histories = [[] for _ in range(message.meta["games"])]
            self._width = message.meta["width"]
            return {}, {}
        if message.arrays:
            rounds = zip(_moves(message.arrays["rows"]), _moves(message.arrays["columns"]), strict=True)
            for history, played in zip(self._histories, rounds, strict=True):
                history.append(played)
        move = _one if self._width == 1 else self._several
        strategy = self._strategy
        moves = [move(game, strategy(list(history))) for game, history in enumerate(self._histories)]
        return {}, {"moves": np.array(moves, "<i4")}

    def _several(self, game: int, answer: Any) -> list[int]:
        try:
            move = [index(part) for part in answer]
        except TypeError:
            move = []
        if len(move) != self._width or not all(-I4 <= part < I4 for part in move):
            raise TypeError(f"game {game}: a move is {self._width} integers, not {_brief(answer)}")
        return move


def _one(game: int, answer: Any) -> int:
    try:
        move = index(answer)
    except TypeError:
        move = I4
    if not -I4 <= move < I4:
        raise TypeError(f"game {game}: a move is one integer, not {_brief(answer)}")
    return move


def _moves(array: Array) -> Iterator[Any]:
    plain = array.tolist()
    return map(tuple, plain) if array.ndim > 1 else iter(plain)


def _brief(answer: Any) -> str:
    return f"{type(answer).__name__} {str(answer)[:100]}"
