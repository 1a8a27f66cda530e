"""How long the numbers of a ranking take: both columns, 2,000 draws, 13 tasks; and profiles as MLGym computes them.

Run: PYTHONPATH=. python tests/benchmarks/ranking_numerics.py [entries ...]. Prints target against measured (median of
3) and the peak memory of the whole process, each size in a process of its own.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from scoring.compat import POINTS
from scoring.measure import measure
from scoring.profiles import Floats, aup
from scoring.tables import SEEDS, Grid
from scoring.vocabulary import Reading
from scoring.yardstick import TaskRule, Yardstick

TASKS = 13
TARGETS: dict[tuple[Reading, int], float] = {("season", 1_000): 0.25, ("season", 10_000): 2.0}
MEMORY_MB = 700
METHODS = 1_200


def synthetic(entries: int) -> tuple[Grid, Yardstick]:
    """Entries of different skill, tasks of both directions, one value in twenty missing."""
    rng = np.random.default_rng(0)
    maximise = np.arange(TASKS) % 2 == 1
    rules = tuple(
        TaskRule(
            id=f"task-{task:02d}",
            title="",
            domain="rl",
            metric="m",
            direction="max" if up else "min",
            baseline=1.0,
            baseline_source="synthetic",
            reference=2.0 if up else 0.5,
        )
        for task, up in enumerate(maximise)
    )
    skill = rng.normal(0.0, 0.3, (entries, 1, 1)) + rng.normal(0.0, 0.2, (entries, TASKS, 1))
    best = np.exp(skill + rng.normal(0.0, 0.1, (entries, TASKS, SEEDS)))
    last = best * np.exp(-np.abs(rng.normal(0.0, 0.05, best.shape)))
    for values in (best, last):
        values[rng.random(values.shape) < 0.05] = np.nan
    best, last = (np.where(maximise[:, None], values, 1 / values) for values in (best, last))
    return Grid(tuple(f"entry-{i:05d}" for i in range(entries)), best, last), Yardstick(rules, 0.05, 0.4)


def median(work: Callable[[], object], runs: int = 3) -> float:
    """Seconds."""
    found = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def measure_one(reading: Reading, entries: int) -> None:
    """Print one line about one size."""
    grid, yard = synthetic(entries)
    yard = yard if reading == "season" else Yardstick(yard.rules, yard.eps, None)
    seconds = median(lambda: measure(grid, yard, reading, np.ones(entries, dtype=bool)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    target = TARGETS.get((reading, entries))
    said = f"target {target:.2f} s, {'met' if seconds <= target else 'MISSED'}" if target else "no target"
    memory = f"target {MEMORY_MB} MB, {'met' if peak <= MEMORY_MB else 'MISSED'}"
    print(f"{reading:>12} {entries:>6} entries: {seconds:6.3f} s ({said}); peak {peak:4.0f} MB ({memory})", flush=True)


def loops(log_ratios: Floats, tau_max: float) -> list[float]:
    """AUP as MLGym computes it: a 500-point profile, one method and one tau after the other."""
    taus = np.linspace(0.0, tau_max, POINTS)
    areas = []
    for row in log_ratios:
        profile = [float(np.mean(row <= tau)) for tau in taus]
        areas.append(sum(profile[:-1]) * float(taus[1] - taus[0]))
    return areas


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        reading: Reading = "season" if sys.argv[2] == "season" else "live"
        measure_one(reading, int(sys.argv[3]))
        return
    for reading in ("season", "live"):
        for entries in [int(word) for word in sys.argv[1:]] or [10, 100, 1_000, 10_000]:
            subprocess.run([sys.executable, __file__, "--one", reading, str(entries)], check=True)
    logs = np.random.default_rng(0).uniform(0.0, 1.2, (METHODS, TASKS))
    slow, fast = median(lambda: loops(logs, 1.2)), median(lambda: aup(logs, 1.2), 25)
    print(f"{METHODS} methods, profiles by loops as MLGym does: {slow:.2f} s; closed form: {fast * 1000:.3f} ms")


if __name__ == "__main__":
    main()
