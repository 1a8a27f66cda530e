"""Whose CPU time an episode in Docker takes: `python -m tests.benchmarks.episode_cpu [--episodes 12] [--jobs 1]`.

Takes the number of episodes, plays so many smoke episodes of colonel-blotto with the baseline agent, prints the CPU
seconds of one by who spent them: the engine, containerd with its shims and runc, what ran in the containers, ourselves
(the start of the interpreters shared among the episodes). Counted by the kernel, in groups that only count (cgroup v1,
cpuacct): root, and an engine that nobody else uses meanwhile. Figures in CPU time hardly change when a machine is busy.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

COUNTERS = Path("/sys/fs/cgroup/cpuacct")
DAEMONS = ("dockerd", "containerd")
CONTAINERS = COUNTERS / "docker"
NAMES = {"dockerd": "engine", "containerd": "containerd, shims, runc", "docker": "in the containers", "us": "gymboard"}
SETTLE_S = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    if os.geteuid() or not CONTAINERS.is_dir():
        sys.exit(f"needs root, and an engine whose containers are counted in {CONTAINERS}")
    with ExitStack() as stack:
        groups = {name: stack.enter_context(counted(name)) for name in (*DAEMONS, "us")} | {"docker": CONTAINERS}
        begun, before = time.monotonic(), {name: used(group) for name, group in groups.items()}
        play(asked.episodes, asked.jobs, groups["us"])
        wall_s = time.monotonic() - begun
        time.sleep(SETTLE_S)  # what ends after its container
        spent = {name: used(group) - before[name] for name, group in groups.items()}
    for name, words in NAMES.items():
        print(f"{words:24} {spent[name] / asked.episodes:6.3f} s")
    print(f"{'one episode':24} {sum(spent.values()) / asked.episodes:6.3f} s of CPU time, {asked.jobs} at a time")
    print(f"{'processors kept busy':24} {sum(spent.values()) / wall_s:6.2f} over {wall_s:.1f} s")


@contextmanager
def counted(name: str) -> Iterator[Path]:
    """A group for a daemon and all that it starts, or an empty one; they are put back afterwards."""
    group = COUNTERS / f"gymboard-{name}"
    group.mkdir(exist_ok=True)
    found = subprocess.run(["pidof", name], capture_output=True, text=True, check=False).stdout.split()
    for pid in found:
        (group / "cgroup.procs").write_text(pid)
    try:
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (COUNTERS / "cgroup.procs").write_text(pid)
        group.rmdir()


def used(group: Path) -> float:
    """CPU seconds of every process that ever was in the group or below."""
    return int((group / "cpuacct.usage").read_text()) / 1e9


def play(episodes: int, jobs: int, group: Path) -> None:
    with tempfile.TemporaryDirectory() as runs:
        words = ["--tasks", "colonel-blotto", "--profile", "smoke", "--sandbox", "docker", "--seeds", str(episodes)]
        words += ["--jobs", str(jobs), "--runs", runs, "--run", "counted"]
        inside = 'echo $$ >"$0" && exec "$@"'
        command = ["sh", "-c", inside, str(group / "cgroup.procs"), sys.executable, "-m", "gymboard", "run", *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
