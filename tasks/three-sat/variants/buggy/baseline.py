"""The starter heuristic: a variable drawn at random among the unassigned ones, always tried as True first."""

import random


def heuristic_fn(clauses, assignments, conflict_count, assignment_history, level):
    """Choose the next decision of the solver.

    clauses: the clauses not yet satisfied, without their false literals; lists of signed variables.
    assignments: variable -> True or False, for every assigned variable.
    conflict_count: variable -> how many decisions on it have failed so far (absent: none).
    assignment_history: the assigned variables, oldest first.
    level: the same, one list per decision level; level[0] needed no decision.

    Returns (variable, value).
    """
    random.seed(10)
    unassigned = set()
    for clause in clauses:
        for variable in clause:
            if variable not in assignments:
                unassigned.add(variable)
    if not unassigned:
        return None, True
    return random.choice(sorted(unassigned)), True
