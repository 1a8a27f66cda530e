"""Colonel Blotto, ten rounds, against a column player who spreads 120 soldiers at random over six battlefields."""

import numpy as np
from gymplay import matrix_games

BATTLEFIELDS, SOLDIERS = 6, 120


def play(table):
    return matrix_games.play_games(table, Blotto())


class Blotto:
    width = BATTLEFIELDS

    def fault(self, moves):
        return (moves < 0).any(axis=1) | (moves > SOLDIERS).any(axis=1) | (moves.sum(axis=1, dtype=np.int64) > SOLDIERS)

    def legal(self):
        return f"{BATTLEFIELDS} integers from 0 that sum to at most {SOLDIERS}"

    def payoff(self, rows, columns):
        won, lost = (rows > columns).sum(axis=1), (rows < columns).sum(axis=1)
        return np.sign(won - lost).astype(float)

    def column(self, rows, columns, draws, games):
        raw = draws.integers(0, SOLDIERS, games, BATTLEFIELDS)
        total = np.maximum(raw.sum(axis=1, keepdims=True), 1)
        soldiers = raw * SOLDIERS // total
        soldiers[np.arange(games), draws.integers(0, BATTLEFIELDS - 1, games)] += SOLDIERS - soldiers.sum(axis=1)
        return soldiers
