"""Prisoner's dilemma, ten rounds, against a column player who picks one of eleven strategies anew for every move."""

import numpy as np
from gymplay import matrix_games

COOPERATE, DEFECT = 0, 1
PAYOFF = np.array([[3.0, 0.0], [5.0, 1.0]])  # [row move, column move]


def play(table):
    return matrix_games.play_games(table, Dilemma())


class Dilemma:
    width = 1

    def fault(self, moves):
        return (moves < 0) | (moves > 1)

    def legal(self):
        return "0 cooperates, 1 defects"

    def payoff(self, rows, columns):
        return PAYOFF[rows, columns]

    def column(self, rows, columns, draws, games):
        """One strategy a game, drawn for this move; `options` holds what each of the eleven would play."""
        coin, chance = draws.integers(0, 1, games), draws.uniform(games)
        options = np.stack(first(coin, games) if not rows else later(np.stack(rows), np.stack(columns), coin, chance))
        return options[draws.integers(0, len(options) - 1, games), np.arange(games)]


def first(coin, games):
    """Opening moves of the eleven, in the order of the instruction."""
    cooperate, defect = np.zeros(games, np.int64), np.ones(games, np.int64)
    return [
        defect,  # mixture
        cooperate,  # tit for tat
        cooperate,  # always cooperate
        defect,  # always defect
        coin,
        cooperate,  # grim trigger
        cooperate,  # pavlov
        cooperate,  # tit for two tats
        defect,  # suspicious tit for tat
        coin,
        cooperate,  # forgiving tit for tat
    ]


def later(rows, columns, coin, chance):
    """Later moves of the eleven. `rows` and `columns`: (rounds played, games)."""
    row, own = rows[-1], columns[-1]
    twice = (rows[-2:] == DEFECT).all(axis=0) & (len(rows) >= 2)
    mixture = np.select(
        [chance < 1 / 3, chance < 1 / 2, chance < 0.9],
        [np.full_like(row, COOPERATE), np.full_like(row, DEFECT), own],
        1 - row,
    )
    return [
        mixture,
        row,  # tit for tat
        np.full_like(row, COOPERATE),
        np.full_like(row, DEFECT),
        coin,
        (rows == DEFECT).any(axis=0).astype(np.int64),  # grim trigger
        (row != own).astype(np.int64),  # pavlov
        twice.astype(np.int64),  # tit for two tats
        row,  # suspicious tit for tat
        coin,
        np.where(twice, COOPERATE, row),  # forgiving tit for tat
    ]
