"""Are synthetic boards like the real runs? Prints figures of the 260 published runs beside those of made-up ones.

Takes the committed imports under submissions/ and 50 entries of seed 0. The published column is where the constants of
synthetic_shape come from; where a made-up board differs by intent, the last column says so. Never writes anything.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.schema.upstream import UPSTREAM_TASKS
from tests.benchmarks.synthetic_entry import make_entry
from tests.benchmarks.synthetic_shape import TASKS

IMPORTS = Path(__file__).resolve().parents[2] / "submissions"
ENTRIES = 50
INTENT = {
    "attempts an episode": "fewer: a validate costs budget on the board",
    "steps, median": "cut at 50; MLGym counts the forced submission as step 51",
}
Tree = Mapping[str, Any]
Progress = np.ndarray[tuple[int, int, int], np.dtype[np.float64]]  # (entries, tasks, seeds) of last scores


def main() -> None:
    imports = [json.loads(file.read_bytes())["episodes"] for file in sorted(IMPORTS.glob("*/bundle.json"))]
    made = [make_entry(0, index).bundle["episodes"] for index in range(ENTRIES)]
    published = _figures(imports) | _spread(_progress(imports, _published_scales(imports), _published))
    synthetic = _figures(made) | _spread(_progress(made, _made_scales(), _claimed))
    print(f"{'':42}{'published':>12}{'synthetic':>12}")
    for name, value in published.items():
        print(f"{name:42}{value:>12.4g}{synthetic.get(name, math.nan):>12.4g}  {INTENT.get(name, '')}".rstrip())


def _figures(entries: list[list[Tree]]) -> dict[str, float]:
    episodes = [episode for entry in entries for episode in entry]
    ends = Counter(episode["exit_status"] for episode in episodes)
    acts: Counter[str] = sum((Counter(episode["actions"]) for episode in episodes), Counter())
    used = [(e["steps"], e["usage"]["input_tokens"], e["usage"]["output_tokens"]) for e in episodes]
    steps, sent, written = np.array([row for row in used if min(row) > 0], dtype=np.float64).T
    power, base = np.polyfit(np.log(steps), np.log(sent), 1)
    several = [e for e in episodes if len(e["attempts"]) > 1]
    return (
        {f"ends by {name}, share": ends[name] / len(episodes) for name in sorted(ends)}
        | {
            f"nothing handed in after {name}, share": _mean(
                not e["attempts"] for e in episodes if e["exit_status"] == name
            )
            for name in ("evaluation_error", "runtime")
        }
        | {
            "attempts an episode": _mean(len(e["attempts"]) for e in episodes),
            "nothing handed in, share": _mean(not e["attempts"] for e in episodes),
            "last equals the one before, share": _mean(_same(e["attempts"]) for e in several),
            "steps, median": float(np.median(steps)),
            "input tokens, a": float(base),
            "input tokens, b": float(power),
            "input tokens, spread": float((np.log(sent) - base - power * np.log(steps)).std()),
            "output tokens a step, mean of log": float(np.median(np.log(written / steps))),
            "output tokens a step, spread": float(np.log(written / steps).std()),
        }
        | {f"actions: {name}, per thousand": 1000 * n / acts.total() for name, n in sorted(acts.items())}
    )


def _same(attempts: list[Tree]) -> bool:
    last, before = ((a.get("published"), a.get("sealed")) for a in (attempts[-1], attempts[-2]))
    return last == before


def _published_scales(entries: list[list[Tree]]) -> dict[str, tuple[float, float, str]]:
    """Task -> baseline, best last score, metric; mountain-car's baseline lies under another key."""
    scales = {}
    for task in UPSTREAM_TASKS:
        own = [e for entry in entries for e in entry if e["task"] == task.id]
        stored = next(e["published_baseline"] for e in own if e.get("published_baseline"))
        scores = [score for e in own if (score := _published(e, task.metric)) is not None]
        best = max(scores) if task.direction == "max" else min(scores)
        scales[task.id] = (stored.get(task.metric, stored.get("Reward")), best, task.metric)
    return scales


def _made_scales() -> dict[str, tuple[float, float, str]]:
    return {task.id: (task.baseline, task.reference, task.metric) for task in TASKS}


def _published(episode: Tree, metric: str) -> float | None:
    scores = [a["published"][metric] for a in episode["attempts"] if metric in a.get("published", {})]
    return scores[-1] if scores else None


def _claimed(episode: Tree, metric: str) -> float | None:
    scores = [a["sealed"]["metrics"].get(metric) for a in episode["attempts"] if "sealed" in a]
    return scores[-1] if scores else None


def _progress(entries: list[list[Tree]], scales: dict[str, tuple[float, float, str]], score: Any) -> Progress:
    tasks = list(scales)
    grid = np.full((len(entries), len(tasks), 4), np.nan)
    for row, entry in enumerate(entries):
        for episode in entry:
            baseline, best, metric = scales[episode["task"]]
            if (value := score(episode, metric)) is not None:
                at = row, tasks.index(episode["task"]), episode["seed"]
                grid[at] = min(max((value - baseline) / (best - baseline), -1.0), 1.0)
    return grid


def _spread(grid: Progress) -> dict[str, float]:
    """Task means, and the standard deviations of entries, of entry x task, and within a cell."""
    task = np.nanmean(grid, axis=(0, 2))
    ability = np.nanmean(grid - task[None, :, None], axis=(1, 2))
    counted = (~np.isnan(grid)).sum(axis=2)
    sums = np.nansum(grid, axis=2)
    cells = sums / np.where(counted == 0, np.nan, counted)
    within = np.nansum((grid - cells[:, :, None]) ** 2, axis=2)[counted > 1] / (counted[counted > 1] - 1)
    rows = {f"progress: {t.id}": float(mean) for t, mean in zip(UPSTREAM_TASKS, task, strict=True)}
    return rows | {
        "progress, sd of entries": float(ability.std()),
        "progress, sd of entry x task": float(np.nanstd(cells - task - ability[:, None])),
        "progress, sd of seeds": float(np.sqrt(within.mean())),
    }


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


if __name__ == "__main__":
    main()
