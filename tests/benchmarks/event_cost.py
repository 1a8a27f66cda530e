"""What telling costs: microseconds an event into the episode's file and the run's log, with one writer and with four.

Run: PYTHONPATH=. python tests/benchmarks/event_cost.py
Target: 150 us of CPU an event. The wall time says what waiting for the lock and the disk's cache adds on this machine.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from harness.runner.phases import Telling

EVENTS, ROUNDS, TARGET_US = 500, 5, 150.0


def one_episode(folder: Path, number: int) -> tuple[float, float]:
    """Microseconds an event: CPU and wall."""
    place = folder / "task" / f"seed-{number}"
    place.mkdir(parents=True, exist_ok=True)
    with Telling("run", folder / "logs" / "run.jsonl").one(f"task/seed-{number}", place) as phases:
        cpu, wall = time.process_time(), time.perf_counter()
        for step in range(EVENTS):
            with phases.timed("model", model="openai/gpt-4o", max_output_tokens=4096) as facts:
                facts |= {"input_tokens": step, "output_tokens": 200, "finish": "tool_calls", "cost_usd": 0.001}
        spent = time.process_time() - cpu, time.perf_counter() - wall
    return spent[0] / EVENTS * 1e6, spent[1] / EVENTS * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        alone = [one_episode(folder, number) for number in range(ROUNDS)]
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            together = pool.starmap(one_episode, [(folder, ROUNDS + number) for number in range(4 * ROUNDS)])
    for who, costs in (("one writer", alone), ("four writers", together)):
        cpu, wall = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"{who:<13} {cpu:6.0f} us CPU an event (target {TARGET_US:.0f})  {wall:6.0f} us wall")


if __name__ == "__main__":
    main()
