"""Grading 10,000 Colonel Blotto games with isolation, against a plain loop in one process that does the same.

Run: `python tests/benchmarks/blotto_grading.py [docker] [local]` (default: both). Start-up is the time of a grade of 2
games, measured apart; the target is that play itself is no slower than the loop. Medians of REPEATS, taken in turn.
"""

from __future__ import annotations

import importlib.util
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness import images
from harness.grading.base import GradeJob
from harness.grading.play import grade_play
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.task import Profile, load_task, tasks_root

GAMES, ROUNDS, REPEATS = 10_000, 10, 5
FOLDER = tasks_root() / "colonel-blotto"
STRATEGY = (FOLDER / "starter" / "baseline.py").read_bytes()


def plain_loop(strategy: Callable[[list[Any]], list[int]]) -> float:
    """What a person would write: strategy, opponent and score, one game after the other. Mean payoff per round."""
    total = 0
    for _ in range(GAMES):
        history: list[Any] = []
        for _ in range(ROUNDS):
            row = strategy(history)
            raw = [random.randint(0, 120) for _ in range(6)]
            column = [soldiers * 120 // max(1, sum(raw)) for soldiers in raw]
            column[random.randrange(6)] += 120 - sum(column)
            won = sum(a > b for a, b in zip(row, column, strict=True))
            lost = sum(a < b for a, b in zip(row, column, strict=True))
            total += (won > lost) - (won < lost)
            history.append((row, column))
    return total / GAMES / ROUNDS


def isolated(engine: Engine, games: int) -> float:
    task = load_task(FOLDER)
    profile = Profile(params={"games": games, "rounds": ROUNDS})
    task = task.model_copy(update={"profiles": {"official": profile, "smoke": profile}})
    job = GradeJob(task, FOLDER, "official", "sealed", {"strategy.py": STRATEGY}, os.urandom(32))
    verdict = grade_play(job, engine)
    assert verdict.invalid is None, verdict.invalid
    return verdict.metrics["mean_payoff"]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> int:
    spec = importlib.util.spec_from_file_location("baseline", FOLDER / "starter" / "baseline.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    missed = False
    for kind in sys.argv[1:] or ["docker", "local"]:
        images.build("cpu", None, print) if kind == "docker" else images.environment("cpu", print)
        with open_engine(kind) as engine:  # type: ignore[arg-type]
            rows = [
                (
                    timed(lambda: plain_loop(module.row_strategy)),
                    timed(lambda: isolated(engine, 2)),
                    timed(lambda: isolated(engine, GAMES)),
                )
                for _ in range(REPEATS)
            ]
        plain, startup, whole = map(statistics.median, zip(*rows, strict=True))
        play = statistics.median(row[2] - row[1] for row in rows)
        missed |= play > plain
        print(f"{kind}: {GAMES:,} games, medians of {REPEATS}")
        print(f"  plain loop in one process   {plain:6.2f} s")
        print(f"  isolated, start-up          {startup:6.2f} s")
        print(f"  isolated, whole grade       {whole:6.2f} s")
        print(f"  isolated, play              {play:6.2f} s = {play / plain:.2f} of the loop  (target <= 1.00)")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
