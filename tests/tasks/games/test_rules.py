"""The vectorised opponents against the plain ones of simulate.py, and against exact expectations."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest

from harness.grading.play.runtime.draws import Draws

GAMES = 200_000
SEED = bytes(range(32))


def frequencies(module: Any, task: str, rules: str, history: list[tuple[Any, Any]]) -> np.ndarray[Any, Any]:
    """Share of column moves 1 after this history, by the referee."""
    opponent = module(f"{task}/grader/referee.py")[rules]()
    rows = [np.full(GAMES, row, np.int32) for row, _ in history]
    columns = [np.full(GAMES, column, np.int32) for _, column in history]
    moves = opponent.column(rows, columns, Draws(SEED, f"test {history}"), GAMES)
    assert set(np.unique(moves)) <= {0, 1}
    return moves.mean()


@pytest.mark.parametrize("length", range(4))
def test_the_dilemmas_partner_agrees_with_the_plain_one(module: Any, length: int) -> None:
    plain = module("prisoners-dilemma/starter/simulate.py")["column_move"]
    random.seed(1)
    for moves in itertools.product([0, 1], repeat=2 * length):
        history = list(zip(moves[::2], moves[1::2], strict=True))
        found = frequencies(module, "prisoners-dilemma", "Dilemma", history)
        expected = sum(plain(history) for _ in range(20_000)) / 20_000
        assert abs(found - expected) < 0.018, history


@pytest.mark.parametrize(
    ("history", "defects"),
    [  # by hand from the eleven rules
        ([], (1 + 0 + 0 + 1 + 0.5 + 0 + 0 + 0 + 1 + 0.5 + 0) / 11),
        ([(1, 0)], (1 / 6 + 1 + 0 + 1 + 0.5 + 1 + 1 + 0 + 1 + 0.5 + 1) / 11),
        ([(1, 1), (1, 1)], (1 / 6 + 0.4 + 1 + 0 + 1 + 0.5 + 1 + 0 + 1 + 1 + 0.5 + 0) / 11),
        ([(1, 1), (0, 1)], (1 / 6 + 0.4 + 0.1 + 0 + 0 + 1 + 0.5 + 1 + 1 + 0 + 0 + 0.5 + 0) / 11),
        ([(0, 0), (0, 0)], (1 / 6 + 0.1 + 0 + 0 + 1 + 0.5 + 0 + 0 + 0 + 0 + 0.5 + 0) / 11),
    ],
)
def test_the_dilemmas_partner_by_hand(module: Any, history: list[tuple[int, int]], defects: float) -> None:
    assert frequencies(module, "prisoners-dilemma", "Dilemma", history) == pytest.approx(defects, abs=0.005)


@pytest.mark.parametrize(("history", "ones"), [([], 1.0), ([(0, 1)], 0.2), ([(1, 1), (0, 0)], 0.8)])
def test_the_battles_partner_repeats_the_first_move(module: Any, history: list[tuple[int, int]], ones: float) -> None:
    assert frequencies(module, "battle-of-sexes", "Battle", history) == pytest.approx(ones, abs=0.005)


def test_blottos_opponent_agrees_with_the_plain_one(module: Any) -> None:
    rules = module("colonel-blotto/grader/referee.py")["Blotto"]()
    plain = module("colonel-blotto/starter/simulate.py")["column_move"]
    random.seed(1)
    ours = rules.column([], [], Draws(SEED, "test"), GAMES)
    theirs = np.array([plain([]) for _ in range(GAMES)])
    assert (ours.sum(axis=1) == 120).all()
    assert (ours >= 0).all()
    for field in range(6):
        ours_share, theirs_share = (Counter((x[:, field] // 10).tolist()) for x in (ours, theirs))
        worst = max(abs(ours_share[bin_] - theirs_share[bin_]) / GAMES for bin_ in range(13))
        assert worst < 0.006


def test_payoffs(module: Any) -> None:
    zeros_and_ones = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    dilemma = module("prisoners-dilemma/grader/referee.py")["Dilemma"]()
    battle = module("battle-of-sexes/grader/referee.py")["Battle"]()
    blotto = module("colonel-blotto/grader/referee.py")["Blotto"]()
    assert dilemma.payoff(*zeros_and_ones).tolist() == [3, 0, 5, 1]
    assert battle.payoff(*zeros_and_ones).tolist() == [2, 0, 0, 1]
    rows = np.array([[20] * 6, [20] * 6, [120, 0, 0, 0, 0, 0], [40, 40, 40, 0, 0, 0]])
    columns = np.array([[20] * 6, [19] * 5 + [25], [20] * 6, [0, 0, 0, 40, 40, 40]])
    assert blotto.payoff(rows, columns).tolist() == [0, 1, -1, 0]


def test_legal_moves(module: Any) -> None:
    blotto = module("colonel-blotto/grader/referee.py")["Blotto"]()
    top = 2**31 - 1
    moves = [[20] * 6, [0] * 6, [120, 0, 0, 0, 0, 0], [21] * 6, [-1] + [0] * 5, [121] * 5 + [-485], [top] * 6]
    assert blotto.fault(np.array(moves, "<i4")).tolist() == [False, False, False, True, True, True, True]
    for task, rules in (("prisoners-dilemma", "Dilemma"), ("battle-of-sexes", "Battle")):
        game = module(f"{task}/grader/referee.py")[rules]()
        assert game.fault(np.array([0, 1, 2, -1])).tolist() == [False, False, True, True]


def test_draws_are_pinned_independent_and_uniform() -> None:
    first = Draws(SEED, "a")
    assert first.words(2).tolist() == Draws(SEED, "a").words(2).tolist()
    assert first.words(2).tolist() != Draws(SEED, "a").words(2).tolist()
    assert Draws(SEED, "a").words(2).tolist() != Draws(SEED, "b").words(2).tolist()
    assert Draws(SEED, "a").words(1000)[:2].tolist() == Draws(SEED, "a").words(2).tolist()
    values = Draws(SEED, "u").uniform(GAMES)
    assert 0 <= values.min() < values.max() < 1
    assert values.mean() == pytest.approx(0.5, abs=0.003)
    counts = Counter(Draws(SEED, "i").integers(3, 6, GAMES).tolist())
    assert set(counts) == {3, 4, 5, 6}
    assert max(counts.values()) - min(counts.values()) < 1500
