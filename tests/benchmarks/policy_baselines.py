"""Measures the RL tasks: what the starter's checkpoints score, and what one sealed grade costs.

Run: `python tests/benchmarks/policy_baselines.py [docker|local] [smoke]` trains the untouched starter, smoke profile.
`... docker official TASK FOLDER` grades checkpoints that were trained elsewhere (`python baseline.py` in a copy of the
starter). Several grades with seeds of their own are averaged; the standard error is that over checkpoints.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness import images
from harness.agents.baseline import baseline_agent
from harness.grading.base import Artifact
from harness.runner.episode import EpisodeRun
from harness.runner.place import Place
from harness.runner.recorder import Recorder
from harness.runner.run import place_of
from harness.sandbox import open_engine
from harness.schema.task import tasks_root

TASKS = ("breakout", "meta-maze", "mountain-car")
GRADES = 3
PROGRAM = re.compile(rb"gymplay\.(referee|player)_main")


@contextmanager
def watched() -> Iterator[dict[str, int]]:
    """Peak resident memory in MiB of every referee and player on this machine while the context is open."""
    peaks: dict[str, int] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for folder in Path("/proc").iterdir():
                with suppress(OSError, AttributeError):
                    role = PROGRAM.search((folder / "cmdline").read_bytes()).group(1).decode()  # type: ignore[union-attr]
                    peak = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text()).group(1)  # type: ignore[union-attr]
                    peaks[role] = max(peaks.get(role, 0), int(peak) // 1024)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def trained(place: Place) -> Artifact:
    """The artifact of the untouched starter, by the real path of an episode."""
    with tempfile.TemporaryDirectory() as scratch:
        begun = time.monotonic()
        run = EpisodeRun(place, baseline_agent(place.task), 0, Recorder(Path(scratch)))
        episode = run.run()
        print(f"# {place.task.id}: the baseline's episode took {time.monotonic() - begun:.0f} s, {episode.exit_status}")
        return next(iter(run.handed_in.artifacts.values()))


def measure(place: Place, artifact: Artifact) -> None:
    name = place.task.metric.name
    with watched() as peaks:
        verdicts = [place.grade(artifact, "sealed") for _ in range(GRADES)]
    for verdict in verdicts:
        print(f"# {verdict.metrics} +- {verdict.stderr[name]:.4f}, {verdict.duration_s:.1f} s, {verdict.invalid}")
    value = sum(verdict.metrics[name] for verdict in verdicts) / GRADES
    error = max(verdict.stderr[name] for verdict in verdicts)
    print(f"# peak memory, MiB: {peaks}")
    print(f'[[baselines]]\norigin = "measured"\nprofile = "{place.profile}"\nmetric = "{name}"')
    print(f"value = {value:.3f}\nstderr = {error:.3f}\nn = {sum(v.n or 0 for v in verdicts)}\n", flush=True)


def main() -> None:
    kind, profile, task, folder, *_ = [*sys.argv[1:], *("local", "smoke", "", "")[len(sys.argv) - 1 :]]
    images.build("jax", None, print) if kind == "docker" else images.environment("jax", print)
    print(f"# {platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {kind}")
    with open_engine(kind) as engine:  # type: ignore[arg-type]
        for name in [task] if task else TASKS:
            place = place_of(tasks_root() / name, profile, engine, None)  # type: ignore[arg-type]
            files = [file.path for file in place.task.artifact]
            measure(place, {path: (Path(folder) / path).read_bytes() for path in files} if folder else trained(place))


if __name__ == "__main__":
    main()
