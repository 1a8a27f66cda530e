"""Try a heuristic here: `python try_heuristic.py [heuristic.py] [instances]` prints its relative time and decisions.

Takes the file's heuristic_fn and the baseline's, gives both the same fresh random instances in alternating slices,
and counts CPU time as the grader does: propagation, JSON in, the function, JSON out. Never the official figure.
"""

from __future__ import annotations

import json
import random
import runpy
import sys
import time
from collections.abc import Callable
from typing import Any

from dpll import Clause, Solution, satisfies, solve

SLICES = 20


def random_formula(draw: random.Random) -> tuple[int, list[Clause]]:
    """8 to 12 variables, 4.26 clauses a variable, three different variables in each clause."""
    variables = draw.randint(8, 12)
    chosen = (draw.sample(range(1, variables + 1), 3) for _ in range(round(4.26 * variables)))
    return variables, [tuple(draw.choice((-1, 1)) * variable for variable in clause) for clause in chosen]


def solve_with(heuristic: Callable[..., Any], variables: int, formula: list[Clause]) -> Solution:
    search = solve(variables, formula)
    try:
        question = next(search)
        while True:
            sent = json.dumps(
                [question.clauses, question.assignments, question.conflict_count,
                 question.assignment_history, question.level]
            )  # fmt: skip
            clauses, assignments, conflicts, history, level = json.loads(sent)
            by_variable = ({int(key): value for key, value in pairs.items()} for pairs in (assignments, conflicts))
            answer = json.loads(json.dumps(heuristic(clauses, *by_variable, history, level)))
            question = search.send(answer)
    except StopIteration as end:
        solution: Solution = end.value
        if solution.model is not None and not satisfies(solution.model, formula):
            raise AssertionError("the solver returned a model that does not satisfy the formula") from None
        return solution


def main(path: str = "heuristic.py", instances: str = "4000") -> None:
    draw = random.SystemRandom()
    heuristics = {name: runpy.run_path(name)["heuristic_fn"] for name in (path, "baseline.py")}
    seconds, decisions = dict.fromkeys(heuristics, 0.0), dict.fromkeys(heuristics, 0)
    for _ in range(SLICES):
        formulas = [random_formula(draw) for _ in range(int(instances) // SLICES)]
        for name, heuristic in heuristics.items():
            start = time.process_time()
            decisions[name] += sum(solve_with(heuristic, *formula).decisions for formula in formulas)
            seconds[name] += time.process_time() - start
    for name in heuristics:
        relative = seconds[name] / seconds["baseline.py"]
        print(f"{name}: relative time {relative:.3f}, {decisions[name] / int(instances):.2f} decisions an instance")


if __name__ == "__main__":
    main(*sys.argv[1:])
