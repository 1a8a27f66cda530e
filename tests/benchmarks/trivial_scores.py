"""Measures what submissions without any idea score on our graders: the `trivial` lists of a season file.

Run: `python tests/benchmarks/trivial_scores.py [docker|local] [grades]` (default: local 5). House prices need the real
data (GYMBOARD_DATA_MIRROR). Prints TOML; a sampled value is the mean of its grades, its stderr their pooled one. One
that equals the baseline's is left out of the season file by hand (a division drawn evenly). Constants that are the best
answer are no sign of carelessness: always defecting (prisoner's dilemma), always 0 (battle of the sexes).
"""

from __future__ import annotations

import csv
import io
import os
import sys
from math import sqrt
from statistics import fmean, median, stdev
from typing import Literal, cast

from harness import images
from harness.data import prepare
from harness.grading.base import GradeJob, grade
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.task import load_task, tasks_root

GAME = "import random\n\n\ndef row_strategy(history):\n    return {move}\n"
UNIFORM_ARMY = (
    "(lambda cuts: [b - a for a, b in zip([0, *cuts], [*cuts, 120])])(sorted(random.randint(0, 120) for _ in range(5)))"
)
HEURISTIC = '''def heuristic_fn(clauses, assignments, conflict_count, assignment_history, level):
    """The first unassigned variable."""
    for clause in clauses:
        for literal in clause:
            if abs(literal) not in assignments:
                return abs(literal), {value}
    return None, True
'''
SUBMISSIONS = {
    "prisoners-dilemma": {
        "always cooperates": GAME.format(move="0"),
        "a coin for every move": GAME.format(move="random.randint(0, 1)"),
    },
    "battle-of-sexes": {
        "always 1": GAME.format(move="1"),
        "a coin for every move": GAME.format(move="random.randint(0, 1)"),
    },
    "colonel-blotto": {
        "20 soldiers on every field": GAME.format(move="[20] * 6"),
        "everyone on the first field": GAME.format(move="[120, 0, 0, 0, 0, 0]"),
        "a division drawn evenly": GAME.format(move=UNIFORM_ARMY),
    },
    "three-sat": {
        "the first unassigned variable, True first": HEURISTIC.format(value="True"),
        "the first literal made true": HEURISTIC.format(value="literal > 0"),
    },
}


def played(engine: Engine, task_id: str, code: str, grades: int) -> tuple[float, float]:
    """Mean of the ranked metric over official sealed grades, and its standard error.

    The error is the pooled one of the grades, or what their spread says where that is more.
    """
    folder = tasks_root() / task_id
    spec = load_task(folder)
    artifact = {spec.artifact[0].path: code.encode()}
    jobs = (GradeJob(spec, folder, "official", "sealed", artifact, os.urandom(32)) for _ in range(grades))
    verdicts = [grade(job, engine) for job in jobs]
    assert all(verdict.valid for verdict in verdicts), verdicts
    values = [verdict.metrics[spec.metric.name] for verdict in verdicts]
    pooled = sqrt(sum(verdict.stderr[spec.metric.name] ** 2 for verdict in verdicts)) / grades
    return fmean(values), max(pooled, stdev(values) / sqrt(grades)) if grades > 1 else pooled


def house_prices(engine: Engine) -> None:
    """One price for every house: the mean and the median of the training rows."""
    folder = tasks_root() / "house-price"
    spec = load_task(folder)
    data = prepare(spec, folder, "official")
    assert data is not None
    with (data.agent / "train.csv").open(newline="") as file:
        prices = [float(row["SalePrice"]) for row in csv.DictReader(file)]
    with (data.agent / "inputs.csv").open(newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    print("\n# house-price, sealed")
    for what, price in (("mean", sum(prices) / len(prices)), ("median", median(prices))):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("id", "SalePrice"), *((key, price) for key in ids)])
        artifact = {"submission.csv": text.getvalue().encode()}
        found = grade(GradeJob(spec, folder, "official", "sealed", artifact, b"", data.grader), engine)
        print(
            f'  {{ what = "the {what} training price for every house", value = {found.metrics["r2"]!r} }},', flush=True
        )


def main(kind: str = "local", grades: str = "5") -> None:
    """Every trivial submission, one after the other."""
    images.build("cpu", None, print) if kind == "docker" else images.environment("cpu", print)
    with open_engine(cast(Literal["docker", "local"], kind)) as engine:
        house_prices(engine)
        for task_id, submissions in SUBMISSIONS.items():
            print(f"\n# {task_id}, {grades} grades")
            for what, code in submissions.items():
                value, error = played(engine, task_id, code, int(grades))
                print(f'  {{ what = "{what}", value = {value:.4f}, stderr = {error:.4f} }},', flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
