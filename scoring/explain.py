"""Explain: one entry task by task, and what would have to change for it to gain a rank.

Takes a Ranking and an entry, gives plain records. Every number but the score that is needed is a cell of a table; that
one is the closed form of AUP solved for one task, all others as they are.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import polars as pl

from scoring.boards import Ranking
from scoring.vocabulary import Column

_SAME = 1e-9


class Needed(NamedTuple):
    """How far the next better rank is: whose it is, and by how much AUP would have to grow."""

    rank: int
    rival: str
    gain: float


class Line(NamedTuple):
    """One task. `needed`: the score that alone would gain the rank; None: no score can, or there is no rank to gain."""

    task: str
    title: str
    metric: str
    direction: str
    baseline: float | None
    reference: float | None
    value: float | None
    mean: float | None
    stderr: float | None
    log10_ratio: float | None
    feasible: bool
    contribution: float
    needed: float | None


def next_rank(ranking: Ranking, entry: str, score: Column) -> Needed | None:
    """The nearest entry ahead; None for the leader and for whoever has no rank."""
    placed = ranking.table("board", score).filter(pl.col("rank").is_not_null())
    own = placed.filter(pl.col("entry") == entry)
    if own.is_empty():
        return None
    area = own["aup"][0]
    ahead = placed.filter(pl.col("rank") < own["rank"][0]).sort("aup", "entry")
    if ahead.is_empty():
        return None
    rival = ahead.row(0, named=True)
    return Needed(rival["rank"], rival["entry"], rival["aup"] - area)


def explain(ranking: Ranking, entry: str, score: Column) -> list[Line]:
    """Every task of the ranking, in its order."""
    wanted = next_rank(ranking, entry, score)
    [tau_max] = ranking.table("constants")["tau_max"]
    rows = {tree["task"]: tree for tree in ranking.table("task_scores", score).to_dicts() if tree["entry"] == entry}
    tasks = {tree["task"]: tree for tree in ranking.table("tasks").to_dicts()}
    lines = []
    for rule in ranking.plan.yard.rules:
        task, row = tasks[rule.id], rows[rule.id]
        target = None
        if wanted is not None:
            share = row["contribution"] + wanted.gain
            target = score_for(
                share, task, f"{score}_reference", tau_max, len(tasks), frozen=ranking.plan.season is not None
            )
        lines.append(_line(task, row, task[f"{score}_reference"], target))
    return lines


def score_for(
    contribution: float, task: dict[str, Any], reference: str, tau_max: float, tasks: int, *, frozen: bool
) -> float | None:
    """The smallest improvement to a score whose share of AUP is `contribution`; None where there is no reference.

    A score worse than the baseline counts nothing, so the answer is never worse than the baseline. Unless the
    reference is `frozen` a better score would move it, and everybody's ratio with it: then the answer is None too.
    """
    best: float | None = task[reference]
    half = task["transform"] == "half-shifted"
    best = (1 + best) / 2 if half and best is not None else best
    if best is None or best <= 0:
        return None
    distance = tau_max - contribution * tasks - _SAME
    if distance < 0 and not frozen:
        return None
    score: float = best / math.pow(10, distance) if task["direction"] == "max" else best * math.pow(10, distance)
    score = 2 * score - 1 if half else score
    baseline: float | None = task["baseline"]
    if baseline is None:
        return score
    return max(score, baseline) if task["direction"] == "max" else min(score, baseline)


def _line(task: dict[str, Any], row: dict[str, Any], reference: float | None, needed: float | None) -> Line:
    facts = {key: task[key] for key in ("task", "title", "metric", "direction", "baseline")}
    found = {key: row[key] for key in ("value", "mean", "stderr", "log10_ratio", "feasible", "contribution")}
    return Line(**facts, **found, reference=reference, needed=needed)
