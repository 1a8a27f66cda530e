"""The solver against brute force, the batch against one instance at a time, and answers that are no decisions."""

from __future__ import annotations

import copy
import itertools
import random
from types import SimpleNamespace
from typing import Any

import pytest

from .conftest import FOLDER

Clauses = tuple[tuple[int, ...], ...]


def random_formula(draw: random.Random, ratio: float = 4.26) -> tuple[int, Clauses]:
    variables = draw.randint(3, 9)
    chosen = (draw.sample(range(1, variables + 1), 3) for _ in range(round(ratio * variables)))
    return variables, tuple(tuple(draw.choice((-1, 1)) * variable for variable in clause) for clause in chosen)


def satisfiable(variables: int, clauses: Clauses) -> bool:
    return any(
        all(any((literal > 0) is values[abs(literal) - 1] for literal in clause) for clause in clauses)
        for values in itertools.product((False, True), repeat=variables)
    )


def rule(seed: int, question: Any) -> tuple[int, bool]:
    """A heuristic that depends on everything it is shown, so that a wrong picture leads to other decisions."""
    seen = random.Random(f"{seed} {question}")
    unassigned = sorted({abs(literal) for clause in question.clauses for literal in clause})
    return seen.choice(unassigned), seen.random() < 0.5


def test_verdicts_agree_with_brute_force(grader: SimpleNamespace) -> None:
    draw = random.Random(1)
    formulas = [grader.lockstep.Formula(*random_formula(draw, draw.uniform(2.0, 7.0))) for _ in range(500)]
    solved = grader.lockstep.solve_all(formulas, lambda questions: [rule(0, question) for question in questions])
    expected = [satisfiable(*formula) for formula in formulas]
    assert [solution.model is not None for solution in solved.solutions] == expected
    assert 100 < sum(expected) < 400


def test_batch_decides_exactly_as_one_at_a_time(grader: SimpleNamespace) -> None:
    draw = random.Random(2)
    formulas = [grader.lockstep.Formula(*random_formula(draw, 5.0)) for _ in range(200)]
    batches: list[list[Any]] = []

    def ask(questions: list[Any]) -> list[tuple[int, bool]]:
        batches.append(copy.deepcopy(questions))
        return [rule(7, question) for question in questions]

    together = grader.lockstep.solve_all(formulas, ask)
    asked_together = [question for batch in batches for question in batch]
    asked_alone: list[Any] = []
    for formula, solution in zip(formulas, together.solutions, strict=True):
        search, questions = grader.dpll.solve(*formula), []
        try:
            question = next(search)
            while True:
                questions.append(copy.deepcopy(question))
                question = search.send(rule(7, question))
        except StopIteration as end:
            assert end.value == solution
        assert len(questions) == solution.decisions
        asked_alone.append(questions)
    in_rounds = itertools.chain.from_iterable(itertools.zip_longest(*asked_alone))
    assert [question for question in in_rounds if question is not None] == asked_together


def test_a_question_shows_only_open_clauses_and_the_trail_by_level(grader: SimpleNamespace) -> None:
    draw = random.Random(3)
    for _ in range(100):
        variables, clauses = random_formula(draw)
        search = grader.dpll.solve(variables, clauses)
        try:
            question = next(search)
            while True:
                values = question.assignments
                left = [
                    tuple(literal for literal in clause if abs(literal) not in values)
                    for clause in clauses
                    if not any(values.get(abs(literal)) is (literal > 0) for literal in clause)
                ]
                assert question.clauses == left
                assert min(map(len, left)) >= 2
                assert [variable for level in question.level for variable in level] == question.assignment_history
                assert sorted(question.assignment_history) == sorted(values)
                assert all(len(level) >= 1 for level in question.level[1:])
                question = search.send(rule(1, question))
        except StopIteration:
            pass


@pytest.mark.parametrize(
    "answer",
    [
        (None, True), (0, True), (-1, True), (6, True), (1.0, True), (True, True), ("1", True), (1, 1), (1, None),
        (1, "True"), (1,), (1, True, True), None, 1, (10**4000, True), {}, {"a": 1, "b": 2}, "1T", [[1], True],
        (10**30, False),
    ],
)  # fmt: skip
def test_what_is_no_decision_is_refused(grader: SimpleNamespace, answer: object) -> None:
    search = grader.dpll.solve(5, [(1, 2, 3), (-1, 4, 5)])
    next(search)
    with pytest.raises(grader.dpll.IllegalDecision) as refused:
        search.send(answer)
    assert len(str(refused.value)) < 300


def test_an_assigned_variable_is_refused(grader: SimpleNamespace) -> None:
    search = grader.dpll.solve(6, [(1, 2, 3), (-1, 4, 5), (4, 5, 6)])
    next(search)
    search.send((1, True))
    with pytest.raises(grader.dpll.IllegalDecision, match="unassigned variable"):
        search.send((1, False))


def test_a_wrong_model_would_stop_the_grade(grader: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def liar(variables: int, clauses: Clauses) -> Any:
        return grader.dpll.Solution({1: False, 2: False, 3: False}, 0)
        yield

    monkeypatch.setattr(grader.lockstep, "solve", liar)
    with pytest.raises(grader.lockstep.WrongVerdict):
        grader.lockstep.solve_all([grader.lockstep.Formula(3, ((1, 2, 3),))], lambda questions: [])


def test_the_agent_finds_the_very_solver_and_starter_of_the_grader() -> None:
    for ours, theirs in (("grader/dpll.py", "dpll.py"), ("grader/reference/heuristic.py", "baseline.py")):
        assert (FOLDER / ours).read_bytes() == (FOLDER / "starter" / theirs).read_bytes()
