"""What a full run costs, 13 tasks x 4 seeds: what this repository has measured, "unmeasured" where it has not.

    python -m tests.benchmarks.full_run

Takes the reference entries' recorded wall times (submissions/), the tasks' measured training costs and limits
(task.toml), and what published runs used at the price table's prices. Prints the tables of site/docs/scale.md.
"""

from __future__ import annotations

import statistics

from harness.llm.estimate import Bounds, estimate
from harness.schema.bundle import Bundle
from harness.schema.prices import load_prices
from harness.schema.task import TaskSpec, load_task, tasks_root

SEEDS = 4
DAY = "2025-08-01"
MODELS = ("openai/gpt-4o", "anthropic/claude-3-5-sonnet-20241022", "openai/o1")
UNMEASURED = "unmeasured"


def walls(entry: str) -> dict[str, float]:
    """Median recorded wall time of an entry's episodes, seconds, by task."""
    file = tasks_root().parent / "submissions" / entry / "bundle.json"
    found: dict[str, list[float]] = {}
    for episode in Bundle.from_json(file.read_bytes(), subject=str(file)).episodes:
        found.setdefault(episode.task, []).append(episode.usage.wall_s)
    return {task: statistics.median(seconds) for task, seconds in found.items()}


def training(task: TaskSpec, device: str) -> str:
    """One training of the starter on one CPU thread or one GPU."""
    parts = [part.run_s for part in task.resources if part.device == device]
    if not parts:
        return "none" if not task.resources else UNMEASURED
    return UNMEASURED if None in parts else duration(sum(part or 0.0 for part in parts))


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def times() -> None:
    baseline, tuner = walls("reference-baseline"), walls("reference-tuner")
    print(
        "| task | cpus, memory | baseline agent | tuner, 49 steps | training, one CPU thread | training, GPU | limit |"
    )
    print("|---|---|---|---|---|---|---|")
    for folder in sorted(file.parent for file in tasks_root().glob("*/task.toml")):
        task = load_task(folder)
        cells = [
            task.id,
            f"{task.limits.cpus:g}, {task.limits.memory_mib / 1024:g} GiB",
            *(duration(table[task.id]) if task.id in table else UNMEASURED for table in (baseline, tuner)),
            training(task, "cpu"),
            training(task, "gpu"),
            duration(task.limits.wall_time_s),
        ]
        print(f"| {' | '.join(cells)} |")


def costs() -> None:
    limits = [load_task(file.parent).limits for file in sorted(tasks_root().glob("*/task.toml"))]
    episodes = [Bounds(one.steps, one.cost_usd) for one in limits for _ in range(SEEDS)]
    longest = sum(one.wall_time_s for one in limits) * SEEDS
    print(f"\n{len(episodes)} episodes; the limits allow {longest / 3600:.0f} h of wall time one after the other\n")
    print("| model | low | likely | high | the limits allow |")
    print("|---|---|---|---|---|")
    for model in MODELS:
        price = load_prices().find(model, DAY)
        assert price is not None
        usd = estimate(price, episodes, None)
        print(
            f"| {model} | " + " | ".join(f"${value:.0f}" for value in (usd.low, usd.likely, usd.high, usd.most)) + " |"
        )


if __name__ == "__main__":
    times()
    costs()
