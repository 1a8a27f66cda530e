"""Branch on the variable that occurs most often with both signs in the two-literal clauses, commoner sign first.

Source: MOMS, J. W. Freeman, Improvements to Propositional Satisfiability Search Algorithms (1995).
"""

from collections import Counter
from itertools import chain


def heuristic_fn(clauses, assignments, conflict_count, assignment_history, level):
    shortest = [clause for clause in clauses if len(clause) == 2] or clauses
    counts = Counter(chain.from_iterable(shortest))
    best = 0
    for literal, count in counts.items():
        if literal > 0 or -literal not in counts:
            opposite = counts.get(-literal, 0)
            score = (count + 1) * (opposite + 1)
            if score > best:
                best, choice = score, literal if count >= opposite else -literal
    return abs(choice), choice > 0
