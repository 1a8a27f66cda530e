"""React on all thirteen smoke tasks through litellm's HTTP path, against a provider with every fault.

    python -m tests.benchmarks.react_thirteen [docker|local] [TASK ...]

Prints a row a task: how it ended, its trace, sealed score, recorded and billed cost, seconds. Exits 1 when an episode
did not end with a valid artifact after the whole script, or when recorded and billed cost differ by a cent.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from harness.runner.run import place_of
from harness.sandbox import open_engine
from harness.schema.task import tasks_root
from tests.harness.agents.everything import PRICE, play, steps


def main(kind: str, chosen: list[str]) -> int:
    bad = 0
    tasks = chosen or sorted(file.parent.name for file in tasks_root().glob("*/task.toml"))
    print(f"{'task':<20} {'exit':<10} {'trace':<17} {'sealed':>12} {'recorded $':>11} {'billed $':>10} {'s':>6}")
    with open_engine("docker" if kind == "docker" else "local") as engine, tempfile.TemporaryDirectory() as folder:
        for task in tasks:
            begun = time.monotonic()
            place = place_of(tasks_root() / task, "smoke", engine, None)
            played = play(place, Path(folder))
            episode, billed = played.episode, played.server.cost_usd(PRICE)
            sealed = episode.attempts[-1].sealed
            valid = sealed is not None and sealed.valid
            score = f"{sealed.metrics[place.task.metric.name]:.4f}" if sealed and sealed.valid else "-"
            took = time.monotonic() - begun
            print(
                f"{task:<20} {episode.exit_status:<10} {episode.trace:<17} {score:>12} "
                f"{played.recorded_usd:>11.6f} {billed:>10.6f} {took:>6.0f}",
                flush=True,
            )
            bad += (
                not valid
                or episode.trace != steps(place.task.starter_command)
                or abs(played.recorded_usd - billed) >= 0.01
            )
    print(f"{len(tasks) - bad} of {len(tasks)} as they should be; target: all")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main((sys.argv[1:] or ["docker"])[0], sys.argv[2:]))
