"""Battle of the sexes, ten rounds, against a column player who remembers the row player's first move."""

import numpy as np
from gymplay import matrix_games

PAYOFF = np.array([[2.0, 0.0], [0.0, 1.0]])  # [row move, column move]
REPEAT = 0.8


def play(table):
    return matrix_games.play_games(table, Battle())


class Battle:
    width = 1

    def fault(self, moves):
        return (moves < 0) | (moves > 1)

    def legal(self):
        return "0 or 1"

    def payoff(self, rows, columns):
        return PAYOFF[rows, columns]

    def column(self, rows, columns, draws, games):
        if not rows:
            return np.ones(games, np.int64)
        return np.where(draws.uniform(games) < REPEAT, rows[0], 1 - rows[0])
