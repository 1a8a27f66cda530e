"""Measures what the untouched starters of the games score, and prints the tables for their task.toml.

Run: `python tests/benchmarks/game_baselines.py [docker|local]`. Several grades with seeds of their own are pooled, so
the standard error of the value is smaller than a single grade's; `tolerance` is four standard errors of one grade.
"""

from __future__ import annotations

import os
import platform
import sys
from math import sqrt
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness import images
from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.task import ProfileName, load_task, tasks_root

GRADES: dict[ProfileName, int] = {"official": 5, "smoke": 20}


def measure(engine: Engine, task_id: str, profile: ProfileName, file: str) -> tuple[float, float, int, float]:
    """Pooled value, its standard error, games, and the largest standard error of one grade."""
    folder = tasks_root() / task_id
    artifact = {"strategy.py": (folder / file).read_bytes()}
    jobs = (
        GradeJob(load_task(folder), folder, profile, "sealed", artifact, os.urandom(32)) for _ in range(GRADES[profile])
    )
    verdicts = [grade_play(job, engine) for job in jobs]
    assert all(verdict.invalid is None for verdict in verdicts)
    values = [verdict.metrics["mean_payoff"] for verdict in verdicts]
    errors = [verdict.stderr["mean_payoff"] for verdict in verdicts]
    pooled = sqrt(sum(error**2 for error in errors)) / len(errors)
    return sum(values) / len(values), pooled, sum(verdict.n or 0 for verdict in verdicts), max(errors)


def main() -> None:
    kind = (sys.argv[1:] or ["docker"])[0]
    images.build("cpu", None, print) if kind == "docker" else images.environment("cpu", print)
    print(f"machine: {platform.platform()}, {os.cpu_count()} cores")
    with open_engine(kind) as engine:  # type: ignore[arg-type]
        for task_id in ("prisoners-dilemma", "battle-of-sexes", "colonel-blotto"):
            value, error, _, _ = measure(engine, task_id, "official", "grader/oracle/strategy.py")
            print(f"\n# {task_id}: oracle {value:.4f} +- {error:.4f}")
            for profile in GRADES:
                value, error, games, single = measure(engine, task_id, profile, "starter/baseline.py")
                print(f'\n[[baselines]]\norigin = "measured"\nprofile = "{profile}"\nmetric = "mean_payoff"')
                print(f"value = {value:.4f}\nstderr = {error:.4f}\nn = {games}\ntolerance = {4 * single:.3f}")


if __name__ == "__main__":
    main()
