"""Episodes in Docker, one after another, in one driver: what grows that is no result?

Run: PYTHONPATH=. python tests/benchmarks/soak.py [n] [nop|baseline]; the baseline is graded too, in three containers
more. Needs a container engine and the built cpu image. Samples the driver (resident memory, open files, threads), our
containers and volumes, the folders in which the engine keeps layers, containers and volumes (everybody's: run it where
nobody else works), and the bytes in a TMPDIR of the run's own. Prints the growth from the first to the last third as a
slope per 1,000 episodes, target 0 beyond the run's folder, which is the results; exits 1 when one is missed. Memory's
target is what an allocator may keep.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from harness import images
from harness.agents.baseline import baseline_agent
from harness.agents.nop import nop_agent
from harness.engine import connect
from harness.runner.run import AgentFor, RunPlan, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.owner import owner
from harness.sandbox.room import Room
from harness.schema.task import tasks_root

if TYPE_CHECKING:
    from docker import DockerClient

TASK = "colonel-blotto"
SAMPLES = 30
MEMORY_SLOPE_MIB = 10.0
AGENTS: dict[str, AgentFor] = {
    "nop": lambda place, seed: nop_agent(),
    "baseline": lambda place, seed: baseline_agent(place.task),
}


@dataclass(frozen=True)
class Sample:
    """After `episodes`. Sizes in KiB."""

    episodes: int
    memory_kib: int
    files: int
    threads: int
    containers: int
    volumes: int
    engine_folders: int
    temporary_kib: int
    results_kib: int


def sample(episodes: int, temporary: Path, results: Path) -> Sample:
    client = connect()
    ours = {"label": f"gymboard.owner={owner()}"}
    containers = len(client.containers.list(all=True, filters=ours, ignore_removed=True))
    volumes = len(client.volumes.list(filters=ours))
    folders = engine_folders(client)
    client.close()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Sample(
        episodes,
        int(status["VmRSS"].split()[0]),
        len(list(Path("/proc/self/fd").iterdir())),
        int(status["Threads"]),
        containers,
        volumes,
        folders,
        kib(temporary),
        kib(results),
    )


def engine_folders(client: DockerClient) -> int:
    """Layers, containers and volumes as the engine keeps them, everybody's; 0 when its disk cannot be seen."""
    disk = Room.of(client).disk
    kept = [disk / name for name in ("overlay2", "containers", "volumes")] if disk else []
    return sum(len(list(folder.iterdir())) for folder in kept if folder.is_dir())


def kib(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*")) >> 10


def soak(n: int, agent: AgentFor) -> list[Sample]:
    found = []
    with tempfile.TemporaryDirectory() as place:
        temporary, runs = Path(place) / "tmp", Path(place) / "runs"
        temporary.mkdir()
        tempfile.tempdir = str(temporary)
        plan = RunPlan("soak", runs / "soak", [TASK], tasks_root(), range(n), "smoke", agent)
        with open_engine("docker") as engine:
            for number, ended in enumerate(run_episodes(plan, engine), start=1):
                if ended.episode is None:
                    sys.exit(f"error: {ended.key}: {ended.failure}")
                if number % max(1, n // SAMPLES) == 0:
                    found.append(sample(number, temporary, plan.folder))
                    print(*astuple(found[-1]), sep="\t", flush=True)
        tempfile.tempdir = None
        shutil.rmtree(runs)
    return found


def slope(found: list[Sample], name: str) -> float:
    """Per 1,000 episodes: between the medians of the first and of the last third."""
    third = max(1, len(found) // 3)
    ends = (found[:third], found[-third:])
    values = [statistics.median(getattr(one, name) for one in end) for end in ends]
    at = [statistics.median(one.episodes for one in end) for end in ends]
    return 1000 * (values[1] - values[0]) / (at[1] - at[0])


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    name = sys.argv[2] if len(sys.argv) > 2 else "nop"
    images.build("cpu", None, print)
    print(*(field.name for field in fields(Sample)), sep="\t")
    begun = time.monotonic()
    found = soak(n, AGENTS[name])
    print(f"{n} {name} episodes of {TASK}, {(time.monotonic() - begun) / n:.2f} s each")
    missed = 0
    for field in fields(Sample)[1:]:
        grown = slope(found, field.name)
        target = {"memory_kib": MEMORY_SLOPE_MIB * 1024, "results_kib": float("inf")}.get(field.name, 0.0)
        words = "the results" if field.name == "results_kib" else f"target at most {target:g}"
        print(f"{field.name}: {grown:+.1f} per 1,000 episodes, {words}")
        missed += grown > target
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
