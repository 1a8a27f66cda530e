"""The best Colonel Blotto strategy, by looking at every division: `honest_best` of the task, `reference` of a season.

Run: `python tests/benchmarks/blotto_best.py [millions]` (default 200). The opponent's rounds are independent and its
fields alike, so no strategy beats the best fixed division, and the order of its fields does not matter. All divisions
of 120 meet the same draws of the real referee's opponent; ever fewer meet ever more. Prints the best with their errors.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.grading.play import runtime
from harness.grading.play.runtime import matrix_games
from harness.schema.task import tasks_root

FIELDS, SOLDIERS, BLOCK = 6, 120, 1_000_000
ROUNDS = ((4_000, 4_000), (400_000, 300), (10_000_000, 5))  # (draws, how many divisions go on)
Division = tuple[int, ...]


class Fast:
    """The interface of Draws over numpy's generator: much faster, and nobody is to be kept from guessing."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def integers(self, low: int, high: int, *shape: int) -> Any:
        return self._generator.integers(low, high, shape, endpoint=True)


def divisions(soldiers: int, fields: int, least: int = 0) -> Iterator[Division]:
    """Every way to divide all soldiers, the smallest field first."""
    if fields == 1:
        yield (soldiers,)
        return
    for first in range(least, soldiers // fields + 1):
        for rest in divisions(soldiers - first, fields - 1, first):
            yield (first, *rest)


def payoffs(opponent: Any, draws: int, seed: int, found: list[Division]) -> Any:
    """Mean payoff of each division over the same draws."""
    total, source = np.zeros(len(found)), Fast(seed)
    for size in [BLOCK] * (draws // BLOCK) + [draws % BLOCK] * (draws % BLOCK > 0):
        columns = opponent.column([], [], source, size).T
        wins = [
            {number: np.sign(number - column).astype(np.int8) for number in {division[field] for division in found}}
            for field, column in enumerate(columns)
        ]
        for index, division in enumerate(found):
            score = sum((wins[field][number] for field, number in enumerate(division)), np.zeros(size, np.int8))
            total[index] += np.count_nonzero(score > 0) - np.count_nonzero(score < 0)
    return total / draws


def main(millions: str = "200") -> None:
    sys.modules |= {"gymplay": runtime, "gymplay.matrix_games": matrix_games}
    opponent = runpy.run_path(str(tasks_root() / "colonel-blotto" / "grader" / "referee.py"))["Blotto"]()
    found = list(divisions(SOLDIERS, FIELDS))
    print(f"{len(found):,} divisions of {SOLDIERS} soldiers over {FIELDS} fields", flush=True)
    for seed, (draws, kept) in enumerate(ROUNDS):
        values = payoffs(opponent, draws, seed, found)
        order = np.argsort(-values)
        print(
            f"{draws:,} draws: best {values[order[0]]:.4f}, last that goes on {values[order[:kept][-1]]:.4f}",
            flush=True,
        )
        found = [found[index] for index in order[:kept]]
    draws = int(millions) * BLOCK
    for division, value in zip(found, payoffs(opponent, draws, len(ROUNDS), found), strict=True):
        print(f"{division}: {value:.5f} +- {sqrt((1 - value**2) / draws):.5f} (at most) over {draws:,} rounds")


if __name__ == "__main__":
    main(*sys.argv[1:])
