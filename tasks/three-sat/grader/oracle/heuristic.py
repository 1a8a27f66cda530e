"""Jeroslow-Wang without weights: branch on the literal that occurs most often in the shortest clauses."""

from collections import Counter
from itertools import chain


def heuristic_fn(clauses, assignments, conflict_count, assignment_history, level):
    shortest = [clause for clause in clauses if len(clause) == 2] or clauses
    counts = Counter(chain.from_iterable(shortest))
    literal = max(counts, key=counts.get)
    return abs(literal), literal > 0
