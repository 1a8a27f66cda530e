"""run.json: what is true of a whole run, written once, and what everybody who goes on with the run is held to.

Takes a RunPlan, an engine and the places, gives the RunManifest. Never changes one that is there: who differs from it
(another version of Gymboard or of a task, other images, other words) is refused and told what to do.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness import __version__
from harness.agents.base import Agent
from harness.agents.command import CommandAgent
from harness.clock import now
from harness.errors import UsageError
from harness.files import replace_file
from harness.runner.locks import manifest_lock
from harness.runner.place import Place
from harness.sandbox.base import Engine
from harness.schema.bundle import Hardware
from harness.schema.digest import folder_sha256
from harness.schema.run import RunManifest

if TYPE_CHECKING:
    from harness.runner.run import RunPlan

FILE = "run.json"
FREE = ("created", "hardware")
"""What may differ between those who work on one run."""
SUITE = ("harness_version", "harness_commit", "tasks_sha256", "images")
ADVICE = {
    True: "go on with the version and the images that it was begun with, or choose another --run name",
    False: "say the same as when it was begun, or choose another --run name",
}


def read_manifest(folder: Path) -> RunManifest | None:
    """The run.json of a run's folder; None when there is none. Raises SchemaError."""
    file = folder / FILE
    return RunManifest.from_json(file.read_bytes(), subject=str(file)) if file.is_file() else None


def begun_on(folder: Path) -> str:
    """The day of a run, YYYY-MM-DD: that of its run.json, else today. Its prices are those of that day."""
    there = read_manifest(folder)
    return (there.created if there else now())[:10]


def demand_same_suite(folder: Path, tasks: Mapping[str, Path]) -> None:
    """Before anything is made: a run that is there was begun with this Gymboard and these tasks (id -> folder).

    Raises UsageError, SchemaError.
    """
    if there := read_manifest(folder):
        ours = {task: folder_sha256(place) for task, place in tasks.items()}
        differ = {
            "harness_version": there.harness_version != __version__,
            "harness_commit": there.harness_commit != commit(),
            "tasks_sha256": any(there.tasks_sha256.get(task, sha256) != sha256 for task, sha256 in ours.items()),
        }
        _refuse(folder / FILE, [name for name, other in differ.items() if other], there)


def demand_same_place(folder: Path, place: Place) -> None:
    """A worker's version, its copy of the task and its images are those of the run. Raises UsageError."""
    there = read_manifest(folder)
    if there is None:
        raise UsageError(f"there is no {FILE} in {folder}: who plays an episode of a run is given the run's folder")
    demand_same_suite(folder, {place.task.id: place.folder})
    ours = images((place,), place.engine)
    if any(there.images.get(name) != digest for name, digest in ours.items()):
        _refuse(folder / FILE, ["images"], there)


def open_manifest(
    plan: RunPlan, engine: Engine, agent: Agent | CommandAgent, places: Mapping[str, Place]
) -> RunManifest:
    """Write run.json, or demand that the one there describes this very plan; gives the one that stands then.

    Raises UsageError, SchemaError.
    """
    ours = _described(plan, engine, agent, places)
    with manifest_lock(plan.folder):
        there = read_manifest(plan.folder)
        if there is None:
            replace_file(plan.folder / FILE, ours.canonical())
            return ours
    differ = [
        name for name in RunManifest.model_fields if name not in FREE and getattr(there, name) != getattr(ours, name)
    ]
    _refuse(plan.folder / FILE, differ, there)
    return there


def _refuse(file: Path, differ: Sequence[str], there: RunManifest) -> None:
    if differ:
        advice = ADVICE[any(name in SUITE for name in differ)]
        begun = f"{file}, of gymboard {there.harness_version}, was begun with another {', '.join(differ)}"
        raise UsageError(f"{begun}; {advice}")


def _described(plan: RunPlan, engine: Engine, agent: Agent | CommandAgent, places: Mapping[str, Place]) -> RunManifest:
    first = places[plan.tasks[0]]
    return RunManifest(
        schema_version=1,
        run=plan.run,
        agent=agent.name,
        agent_version=agent.version,
        model=agent.model or (plan.models.plan.name if plan.models else None),
        profile=plan.profile,
        variant=first.starter,
        dataset=first.dataset,
        sandbox=engine.kind,
        declares=tuple(sorted({*getattr(agent, "declares", ()), *plan.aids.declares})),
        tasks=tuple(plan.tasks),
        seeds=tuple(plan.seeds),
        images=images(places.values(), engine),
        tasks_sha256={task: folder_sha256(place.folder) for task, place in places.items()},
        harness_version=__version__,
        harness_commit=commit(),
        hardware=hardware(engine.gpu_names()),
        created=now(),
    )


def images(places: Iterable[Place], engine: Engine) -> dict[str, str]:
    """Name -> digest of every image that agents and graders of these places run in."""
    families = {str(place.task.image) for place in places}
    names = families | {engine.agent_image(family) for family in families}  # graders run in the family itself
    return {name: engine.image_digest(name) for name in names}


def hardware(gpus: Sequence[str] = ()) -> Hardware:
    """This machine, in words, with the GPUs that agents get."""
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = ", ".join(f"{count} x {name}" for name, count in sorted(Counter(gpus).items()))
    return Hardware(cpu=cpu, cores=os.cpu_count() or 1, memory_gib=round(memory, 1), gpu=gpu[:200] or None)


@cache
def commit() -> str | None:
    """The checkout's commit, `-dirty` when tracked files differ; None outside a checkout."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        dirty = "-dirty" if git("status", "--porcelain", "--untracked-files=no") else ""
        return git("rev-parse", "HEAD") + dirty
    except (OSError, subprocess.CalledProcessError):
        return None
