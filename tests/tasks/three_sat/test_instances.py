"""Instances are those that the task describes, follow from the seed alone, and differ from slice to slice."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from harness.grading.play.runtime.draws import Draws


def test_size_and_shape(grader: SimpleNamespace) -> None:
    formulas = grader.instances.random_formulas(Draws(b"s" * 32, "slice 0"), 2000)
    sizes = Counter(formula.variables for formula in formulas)
    assert sorted(sizes) == [8, 9, 10, 11, 12]
    assert min(sizes.values()) > 300
    for formula in formulas:
        assert len(formula.clauses) == round(4.26 * formula.variables)
        for clause in formula.clauses:
            assert len({abs(literal) for literal in clause}) == 3
            assert all(type(literal) is int and 1 <= abs(literal) <= formula.variables for literal in clause)


def test_literals_are_uniform_in_every_place(grader: SimpleNamespace) -> None:
    formulas = grader.instances.random_formulas(Draws(b"u" * 32, "slice 0"), 8000)
    clauses = [clause for formula in formulas if formula.variables == 8 for clause in formula.clauses]
    for place in range(3):
        seen = Counter(clause[place] for clause in clauses)
        assert len(seen) == 16
        expected = len(clauses) / 16
        assert sum((count - expected) ** 2 / expected for count in seen.values()) < 50  # chi-square, 15 df, p 1e-5


def test_some_are_satisfiable_and_some_are_not(grader: SimpleNamespace) -> None:
    formulas = grader.instances.random_formulas(Draws(b"t" * 32, "slice 0"), 1000)
    solved = grader.lockstep.solve_all(formulas, lambda questions: [(abs(q.clauses[0][0]), True) for q in questions])
    assert 0.7 < sum(solution.model is not None for solution in solved.solutions) / 1000 < 0.85


@pytest.mark.parametrize(("seed", "stream"), [(b"a" * 32, "slice 1"), (b"b" * 32, "slice 0")])
def test_another_seed_or_slice_gives_other_instances(grader: SimpleNamespace, seed: bytes, stream: str) -> None:
    make = grader.instances.random_formulas
    here = make(Draws(b"a" * 32, "slice 0"), 50)
    assert here == make(Draws(b"a" * 32, "slice 0"), 50)
    assert not set(here) & set(make(Draws(seed, stream), 50))
