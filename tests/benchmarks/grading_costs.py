"""Time and peak memory of one sealed grade of every task, target against measured.

Run: `python tests/benchmarks/grading_costs.py [docker|local] [smoke|official] [TASK ...]` (default: docker, smoke and
what of official is at hand, all tasks). Grades the oracle, which plays to the end; each grade in a fresh process,
medians of GYMBOARD_REPEATS (default 3). CPU seconds are those of harness, referee and players together; on a busy
machine (more waiting than cores) they are held against the target, else the seconds are. Memory in MiB is the kernel's
high-water mark of resident pages: the harness's process (which grades predictions itself), and the largest referee and
player. Exits 1 on a missed target.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.errors import DataError, EngineUnavailable
from harness.sandbox.base import Engine
from harness.sandbox.docker import DockerEngine
from harness.schema.task import TaskSpec, load_task, load_tasks, tasks_root

REPEATS = int(os.environ.get("GYMBOARD_REPEATS", "3"))
SMOKE_TARGET_S = 15.0
OFFICIAL_TARGET_S = 120.0
"""Per grade: the thirteen tasks at four seeds are then regraded within two hours on two cores."""
MEMORY_SHARE = 0.5
"""Of its place's limit, which the largest process of a grade may use; the harness may use HARNESS_MIB."""
HARNESS_MIB = 1024
PROGRAM = re.compile(rb"gymplay\.(referee|player)_main")
PEAK, PARENT = re.compile(r"VmHWM:\s+(\d+)"), re.compile(r"PPid:\s+(\d+)")
UNAVAILABLE = 3
"""Exit code of a grade whose data or engine is not here."""
OTHER_SHAPE = {
    "fineweb-lm": "unmeasured: its oracle has the smoke shape; claims_grading.py estimates the official grade"
}


@dataclass
class Seen:
    """What referees and players used so far: peak resident MiB by role, CPU seconds by process, what looking cost."""

    peaks: dict[str, int] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    looking: float = 0.0

    def look(self, engine: Engine) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                role = PROGRAM.search((folder / "cmdline").read_bytes())
                if role and is_of(engine, folder):
                    name, status = role[1].decode(), (folder / "status").read_text()
                    self.peaks[name] = max(self.peaks.get(name, 0), int(PEAK.search(status)[1]) // 1024)  # type: ignore[index]
                    ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:15]  # proc(5): utime to cstime
                    self.cpu[folder.name] = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def watched(engine: Engine) -> Iterator[Seen]:
    """Look at this engine's referees and players ten times a second while the context is open."""
    seen, over = Seen(), threading.Event()

    def keep_looking() -> None:
        while not over.wait(0.1):
            seen.look(engine)
            seen.looking = time.thread_time()

    thread = threading.Thread(target=keep_looking)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def is_of(engine: Engine, process: Path) -> bool:
    """Whether the process runs in one of this engine's containers, or descends from this process."""
    if isinstance(engine, DockerEngine):
        group = (process / "cgroup").read_text()
        return any(container in group for container in list(engine._containers))
    while (parent := int(PARENT.search((process / "status").read_text())[1])) > 1:  # type: ignore[index]
        if parent == os.getpid():
            return True
        process = process.with_name(str(parent))
    return False


def one(kind: str, task: str, profile: str) -> dict[str, Any]:
    """Grade the oracle once, in this process."""
    from harness.agents.oracle import oracle_artifact
    from harness.runner.run import place_of
    from harness.sandbox import open_engine

    mirror = os.environ.get("GYMBOARD_DATA_MIRROR")
    with open_engine(kind) as engine:  # type: ignore[arg-type]
        folder = tasks_root() / task
        place = place_of(folder, profile, engine, Path(mirror) if mirror else None)  # type: ignore[arg-type]
        artifact = oracle_artifact(place.task, folder, place.grader_data)
        own = resource.getrusage(resource.RUSAGE_SELF)
        with watched(engine) as seen:
            begun = time.perf_counter()
            verdict = place.grade(artifact, "sealed")
            seconds = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_SELF)
    assert verdict.invalid is None, verdict.invalid
    cpu = used.ru_utime + used.ru_stime - own.ru_utime - own.ru_stime - seen.looking + sum(seen.cpu.values())
    return {"seconds": seconds, "cpu": cpu, "n": verdict.n, "harness": used.ru_maxrss // 1024, **seen.peaks}


def measured(kind: str, task: str, profile: str) -> dict[str, Any] | str:
    """The median grade and the largest memory of REPEATS, or why there is none."""
    found = []
    for _ in range(REPEATS):
        command = [sys.executable, __file__, "--one", kind, task, profile]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode == UNAVAILABLE:
            return "unmeasured: " + ended.stdout.strip()
        if ended.returncode:
            return "failed: " + (ended.stderr.strip().splitlines() or ["no reason"])[-1]
        found.append(json.loads(ended.stdout.splitlines()[-1]))
    worst = {name: max(one.get(name, 0) for one in found) for name in ("harness", "referee", "player")}
    times = {name: statistics.median(one[name] for one in found) for name in ("seconds", "cpu")}
    return worst | times | {"n": found[0]["n"]}


def limits(task: TaskSpec) -> dict[str, int]:
    """MiB that each process of a grade should stay under."""
    from harness.grading.play.match import REFEREE_CAPS
    from harness.grading.play.stage import PLAYER_CAPS

    player = task.limits.memory_mib if task.grader.kind == "claims" else PLAYER_CAPS.memory_mib
    places = {"referee": REFEREE_CAPS.memory_mib, "player": player}
    return {"harness": HARNESS_MIB} | {name: int(MEMORY_SHARE * mib) for name, mib in places.items()}


def row(task: TaskSpec, profile: str, found: dict[str, Any]) -> bool:
    """Print one line; True when every target is met."""
    target = SMOKE_TARGET_S if profile == "smoke" else OFFICIAL_TARGET_S
    bounds = limits(task)
    judged = found["cpu"] if busy() else found["seconds"]
    met = judged <= target and all(found[name] <= bound for name, bound in bounds.items())
    memory = [f"{found[name]} (<= {bound})" if found[name] else "-" for name, bound in bounds.items()]
    bound, wall, cpu = f"(<= {target:.0f})", f"{found['seconds']:.2f}", f"{found['cpu']:.2f}"
    times = (wall, f"{cpu} {bound}") if busy() else (f"{wall} {bound}", cpu)
    line(task.id, profile, *times, *memory, f"{found['n']:,}")
    if not met:
        print(f"MISSED: {task.id}, {profile}", flush=True)
    return met


def busy() -> bool:
    return os.getloadavg()[0] > (os.cpu_count() or 1) + 1


def line(task: str, profile: str, *cells: str) -> None:
    print(f"{task:<18}{profile:<9}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["--one"]:
        try:
            print(json.dumps(one(*words[1:])))
        except (DataError, EngineUnavailable) as error:
            print(" ".join(str(error).split())[:200])
            return UNAVAILABLE
        return 0
    kinds = [word for word in words if word in ("docker", "local")] or ["docker"]
    profiles = [word for word in words if word in ("smoke", "official")] or ["smoke", "official"]
    tasks = [word for word in words if (tasks_root() / word / "task.toml").is_file()]
    chosen = {name: load_task(tasks_root() / name) for name in tasks} or load_tasks()
    met = [table(kind, profiles, chosen) for kind in kinds]  # all of them, whatever the first says
    return int(not all(met))


def table(kind: str, profiles: list[str], tasks: dict[str, TaskSpec]) -> bool:
    """Every profile of every task on one engine; True when every target is met."""
    machine = f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"# one sealed grade, {kind}, medians of {REPEATS}; {machine}")
    line("task", "profile", "seconds", "CPU s", "harness MiB", "referee MiB", "player MiB", "n")
    met = True
    for profile in profiles:
        for task in tasks.values():
            other = OTHER_SHAPE.get(task.id) if profile == "official" else None
            found = other or measured(kind, task.id, profile)
            if isinstance(found, str):
                print(f"{task.id:<18}{profile:<9}{found}", flush=True)
                met &= not found.startswith("failed")
            else:
                met &= row(task, profile, found)
    return met


if __name__ == "__main__":
    raise SystemExit(main())
