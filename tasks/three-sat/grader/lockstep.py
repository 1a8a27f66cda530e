"""Every open search of a slice advances by one question at a time, so that one message carries all questions.

Takes formulas and `ask` (questions in, one answer for each out), gives the solutions in order and the CPU seconds
that propagation alone took. Each model is verified here, outside the clock. Never sees how `ask` reaches a player.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dpll import Clause, Decision, Question, Search, Solution, satisfies, solve


class Formula(NamedTuple):
    """One instance over variables 1..`variables`."""

    variables: int
    clauses: tuple[Clause, ...]


class Solved(NamedTuple):
    """`propagation_s` is CPU time of this thread."""

    solutions: list[Solution]
    propagation_s: float


class WrongVerdict(AssertionError):
    """The solver itself is at fault: a model that does not satisfy its formula."""


Ask = Callable[[list[Question]], Sequence[Decision]]


def solve_all(formulas: Sequence[Formula], ask: Ask) -> Solved:
    """Solve every formula. Raises IllegalDecision as soon as one answer is not a decision."""
    searches: dict[int, Search] = {index: solve(*formula) for index, formula in enumerate(formulas)}
    solutions: dict[int, Solution] = {}
    answers: Sequence[Decision | None] = [None] * len(searches)
    propagation_s = 0.0
    while searches:
        start = time.thread_time()
        questions = _advance(searches, answers, solutions)
        propagation_s += time.thread_time() - start
        answers = ask(questions) if questions else []
    _verify(formulas, solutions)
    return Solved([solutions[index] for index in range(len(formulas))], propagation_s)


def _advance(
    searches: dict[int, Search], answers: Sequence[Decision | None], solutions: dict[int, Solution]
) -> list[Question]:
    """Send every open search its answer; a search that ends moves from `searches` to `solutions`."""
    questions = []
    for (index, search), answer in zip(list(searches.items()), answers, strict=True):
        try:
            questions.append(search.send(answer))  # type: ignore[arg-type]  # None starts a generator
        except StopIteration as end:
            solutions[index] = end.value
            del searches[index]
    return questions


def _verify(formulas: Sequence[Formula], solutions: dict[int, Solution]) -> None:
    for index, solution in solutions.items():
        if solution.model is not None and not satisfies(solution.model, formulas[index].clauses):
            raise WrongVerdict(f"instance {index}: the model does not satisfy the formula")
