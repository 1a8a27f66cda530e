"""Referee of three-sat: candidate and starter heuristic decide the same fresh instances, in alternating slices.

Takes a Table with the two players, gives their relative CPU time and the candidate's decisions per instance. A player's
time is the referee's propagation on its behalf plus everything its container used, start-up included, while the other
one is paused. Never believes a player about an instance: the search is its own, a model is verified.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from math import sqrt

from dpll import Decision, IllegalDecision, Question, Solution
from gymplay import Foul, Outcome, Player, Table
from instances import random_formulas
from lockstep import Formula, WrongVerdict, solve_all
from ratio import time_ratio

CANDIDATE, STARTER = "candidate", "starter"
INT_KEYED = (1, 2)  # assignments and conflict_count


def play(table: Table) -> Outcome:
    """`table.params`: slices, and instances in each."""
    slices, instances = int(table.params["slices"]), int(table.params["instances_per_slice"])
    gc.disable()  # a collection would fall into one player's slice by chance
    startup_s = _start(table)
    seconds: dict[str, list[float]] = {CANDIDATE: [], STARTER: []}
    decisions: list[int] = []
    for index in range(slices):
        formulas = random_formulas(table.draws(f"slice {index}"), instances)
        order = (CANDIDATE, STARTER) if index % 2 else (STARTER, CANDIDATE)
        solutions = {name: _slice(table, name, formulas, seconds[name]) for name in order}
        _agree(solutions[CANDIDATE], solutions[STARTER])
        decisions += [solution.decisions for solution in solutions[CANDIDATE]]
        gc.collect()
    ratio = time_ratio(seconds[CANDIDATE], seconds[STARTER], (startup_s[CANDIDATE], startup_s[STARTER]))
    mean, error = _mean(decisions)
    return Outcome(
        {"relative_time": ratio.value, "decisions": mean},
        {"relative_time": ratio.stderr, "decisions": error},
        n=len(decisions),
    )


def _start(table: Table) -> dict[str, float]:
    """Load both heuristics; CPU seconds that it took each player, interpreter and imports included."""
    seed = int(table.draws("player").integers(0, 2**31 - 1, 1)[0])
    for name in (STARTER, CANDIDATE):
        table.turn(name)
        meta = {"file": "heuristic.py", "function": "heuristic_fn", "seed": seed, "int_keys": INT_KEYED}
        table.players[name].ask("start", meta)
    return table.turn(None)


def _slice(table: Table, name: str, formulas: Sequence[Formula], seconds: list[float]) -> list[Solution]:
    """Let one player decide every formula; appends its CPU seconds."""
    before = table.turn(name)[name]
    try:
        solved = solve_all(formulas, lambda questions: _ask(table.players[name], questions))
    except IllegalDecision as error:
        foul = Foul(f"heuristic_fn {error}")
        foul.player = name
        raise foul from None
    seconds.append(solved.propagation_s + table.turn(None)[name] - before)
    return solved.solutions


def _ask(player: Player, questions: list[Question]) -> list[Decision]:
    calls = [
        (
            question.clauses,
            question.assignments,
            question.conflict_count,
            question.assignment_history,
            question.level,
        )
        for question in questions
    ]
    answers = player.ask("call", {"calls": calls}).meta.get("results")
    if not isinstance(answers, list) or len(answers) != len(calls):
        foul = Foul(f"the player did not answer {len(calls)} questions with a list of {len(calls)} decisions")
        foul.player = player.name
        raise foul
    return answers


def _agree(candidate: Sequence[Solution], starter: Sequence[Solution]) -> None:
    if [one.model is None for one in candidate] != [one.model is None for one in starter]:
        raise WrongVerdict("two complete searches disagree about an instance")


def _mean(values: Sequence[int]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
