"""The solver that asks for decisions: DPLL with unit propagation, as a generator.

Takes a formula (clauses of signed variables 1..n), yields one Question wherever it must branch, is sent the Decision
(variable, value), and returns a Solution. It never chooses a variable by itself and never reads a clock.
The search is complete: a decision that fails is undone and the other value tried, so that "unsatisfiable" follows
only when both values of every open decision failed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

Clause = tuple[int, ...]
Decision = tuple[int, bool]


class IllegalDecision(ValueError):
    """The answer to a question is not a pair of an unassigned variable and a truth value."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the heuristic is shown. The lists and dicts belong to the search and change after the next answer."""

    clauses: list[Clause]
    assignments: dict[int, bool]
    conflict_count: dict[int, int]
    assignment_history: list[int]
    level: list[list[int]]


@dataclass(frozen=True, slots=True)
class Solution:
    """`model` satisfies the formula; None: there is none."""

    model: dict[int, bool] | None
    decisions: int


Search = Generator[Question, Decision, Solution]


@dataclass(slots=True)
class _Trail:
    """What is assigned, in order and by decision level; level 0 holds what follows without any decision."""

    assignments: dict[int, bool] = field(default_factory=dict)
    history: list[int] = field(default_factory=list)
    level: list[list[int]] = field(default_factory=lambda: [[]])

    def assign(self, literal: int) -> None:
        variable = abs(literal)
        self.assignments[variable] = literal > 0
        self.history.append(variable)
        self.level[-1].append(variable)

    def close_level(self) -> None:
        for variable in self.level.pop():
            del self.assignments[variable]
            self.history.pop()


def solve(variables: int, formula: Sequence[Clause]) -> Search:
    """Decide one formula over variables 1..`variables`. Raises IllegalDecision on an answer that is not one."""
    trail = _Trail()
    conflicts: dict[int, int] = {}
    branches: list[tuple[int, list[Clause], bool]] = []  # literal tried, clauses before it, both values tried
    decisions = 0
    clauses = _propagate(list(formula), trail)
    while clauses:
        answer = yield Question(clauses, trail.assignments, conflicts, trail.history, trail.level)
        literal = _literal(answer, variables, trail)
        decisions += 1
        branches.append((literal, clauses, False))
        clauses = _branch(literal, clauses, trail)
        while clauses is None and branches:
            literal, before, exhausted = branches.pop()
            trail.close_level()
            conflicts[abs(literal)] = conflicts.get(abs(literal), 0) + 1
            if not exhausted:
                branches.append((-literal, before, True))
                clauses = _branch(-literal, before, trail)
    return Solution(None if clauses is None else trail.assignments, decisions)


def satisfies(model: dict[int, bool], formula: Sequence[Clause]) -> bool:
    """Whether every clause has a literal that `model` makes true (a variable without a value makes none true)."""
    return all(any(model.get(abs(literal)) is (literal > 0) for literal in clause) for clause in formula)


def _literal(answer: object, variables: int, trail: _Trail) -> int:
    match answer:
        case [int(variable), bool(value)] if type(variable) is int:
            if 1 <= variable <= variables and variable not in trail.assignments:
                return variable if value else -variable
    raise IllegalDecision(
        f"answered {repr(answer)[:80]}; expected (an unassigned variable of 1..{variables}, True or False)"
    )


def _branch(literal: int, clauses: list[Clause], trail: _Trail) -> list[Clause] | None:
    trail.level.append([])
    trail.assign(literal)
    left = _reduce(clauses, literal)
    return None if left is None else _propagate(left, trail)


def _propagate(clauses: list[Clause], trail: _Trail) -> list[Clause] | None:
    """Assign the literal of the first unit clause until there is none; None when a clause has no literal left."""
    left: list[Clause] | None = clauses
    while left and (unit := next((clause[0] for clause in left if len(clause) == 1), None)) is not None:
        trail.assign(unit)
        left = _reduce(left, unit)
    return left


def _reduce(clauses: list[Clause], literal: int) -> list[Clause] | None:
    """The clauses that are still open when `literal` is true, without its negation; None when one is violated."""
    left = []
    for clause in clauses:
        if literal in clause:
            continue
        if -literal in clause:
            if len(clause) == 1:
                return None
            clause = tuple([other for other in clause if other != -literal])
        left.append(clause)
    return left
