"""Plays games here: `python simulate.py strategy.py [games [seed]]`. The grade is made elsewhere, from other seeds."""

import importlib.util
import random
import sys

ROUNDS = 10
BATTLEFIELDS, SOLDIERS = 6, 120


def payoff(row, column):
    lead = sum((a > b) - (a < b) for a, b in zip(row, column, strict=True))
    return (lead > 0) - (lead < 0)


def column_move(history):
    raw = [random.randint(0, SOLDIERS) for _ in range(BATTLEFIELDS)]
    army = [soldiers * SOLDIERS // max(1, sum(raw)) for soldiers in raw]
    army[random.randrange(BATTLEFIELDS)] += SOLDIERS - sum(army)
    return tuple(army)


def load(path):
    spec = importlib.util.spec_from_file_location("strategy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.row_strategy


def play(strategy):
    """Mean payoff per round of one game."""
    history, total = [], 0
    for _ in range(ROUNDS):
        move = strategy(list(history))
        answer = column_move(history)
        total += payoff(move, answer)
        history.append((move, answer))
    return total / ROUNDS


def main():
    strategy = load(sys.argv[1])
    games = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    if len(sys.argv) > 3:
        random.seed(int(sys.argv[3]))
    means = [play(strategy) for _ in range(games)]
    mean = sum(means) / games
    stderr = (sum((value - mean) ** 2 for value in means) / (games - 1) / games) ** 0.5
    print(f"mean payoff per round {mean:.4f} +- {stderr:.4f} over {games} games")
    print(f"estimate mean_payoff = {mean:.6f}")


if __name__ == "__main__":
    main()
