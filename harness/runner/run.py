"""A run: tasks x seeds, one after the other, resumable at the granularity of an episode.

Takes a RunPlan, gives runs/<run>/ with run.json first and one folder an episode. What has an episode.json is never
run again.
"""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness import __version__
from harness.agents.base import Agent
from harness.agents.command import CommandAgent
from harness.clock import now
from harness.data import prepare
from harness.errors import GradingError, ModelUnavailable, RunSpent, SandboxError, UsageError, VerificationError
from harness.files import replace_file
from harness.llm.meter import Models
from harness.runner.aids import Aids
from harness.runner.episode import NO_AIDS, EpisodeRun
from harness.runner.place import Place
from harness.runner.progress import Watch, unwatched
from harness.runner.recorder import Recorder
from harness.runner.steady import steadily
from harness.sandbox.base import Engine
from harness.sandbox.room import demand_run_disk
from harness.schema.bundle import Hardware
from harness.schema.digest import folder_sha256
from harness.schema.episode import Episode
from harness.schema.run import RunManifest
from harness.schema.starter import StarterName
from harness.schema.task import DEFAULT_DATASET, ProfileName, TaskSpec, load_task

AgentFor = Callable[[Place, int], Agent | CommandAgent]
"""Makes the agent of one episode from its place and seed."""


@dataclass(frozen=True)
class RunPlan:
    """What to run. `tasks_root` holds the task folders; `mirror` is searched for official data before the network;
    `models` is the run's language model, for agents that ask one; `aids` what they get beyond the sandbox.
    """

    run: str
    folder: Path
    tasks: Sequence[str]
    tasks_root: Path
    seeds: Sequence[int]
    profile: ProfileName
    agent_for: AgentFor
    mirror: Path | None = None
    starter: StarterName = "baseline"
    dataset: str | None = None
    models: Models | None = None
    aids: Aids = NO_AIDS


def place_of(
    task_folder: Path,
    profile: ProfileName,
    engine: Engine,
    mirror: Path | None,
    task: TaskSpec | None = None,
    *,
    starter: StarterName = "baseline",
    dataset: str | None = None,
) -> Place:
    """A task, its prepared data and the engine, ready for episodes.

    Raises DataError when data cannot be had, UsageError when the task lacks this starter or dataset.
    """
    spec = (task or load_task(task_folder)).on(dataset)
    spec.starter(starter)
    data = prepare(spec, task_folder, profile, mirror=mirror)
    return Place(
        spec,
        task_folder,
        profile,
        engine,
        data.agent if data else None,
        data.grader if data else None,
        None if starter == "baseline" else starter,
        None if dataset == DEFAULT_DATASET else dataset,
    )


@dataclass(frozen=True)
class Ended:
    """How one episode ended. `failure`: something of ours broke, nothing was scored, `--resume` tries again."""

    key: str
    episode: Episode | None
    fresh: bool = True
    failure: str = ""


def begun_on(folder: Path) -> str:
    """The day of a run, YYYY-MM-DD: that of its run.json, else today. Its prices are those of that day."""
    file = folder / "run.json"
    created = RunManifest.from_json(file.read_bytes(), subject=str(file)).created if file.is_file() else now()
    return created[:10]


def run_episodes(plan: RunPlan, engine: Engine, watch: Watch = unwatched) -> Iterator[Ended]:
    """Every episode of the plan, in order. `watch` is told how each one goes.

    A sandbox, grader or model that breaks costs its episode and no other. Raises UsageError when another process is
    at work in the plan's folder: their steps and artifacts would mingle.
    """
    with _alone(plan.folder):
        yield from _episodes(plan, engine, watch)


def _episodes(plan: RunPlan, engine: Engine, watch: Watch) -> Iterator[Ended]:
    places = {task: _place(plan, task, engine) for task in plan.tasks}
    first = plan.agent_for(places[plan.tasks[0]], plan.seeds[0])
    created = _open_manifest(plan, engine, first, places)
    aids = replace(plan.aids, run=f"{plan.run}@{created}")
    for task, place in places.items():
        for seed in plan.seeds:
            key = f"{task}/seed-{seed}"
            folder = plan.folder / key
            if (folder / "episode.json").is_file():
                there = Episode.from_json((folder / "episode.json").read_bytes(), subject=str(folder))
                yield Ended(key, there, fresh=False)
                continue

            def play(place: Place = place, seed: int = seed, folder: Path = folder) -> Episode:
                demand_run_disk(folder)
                agent = plan.agent_for(place, seed)
                return run_episode(place, agent, seed, folder, models=plan.models, watch=watch, aids=aids)

            try:
                yield Ended(key, steadily(engine, key, play))
            except (SandboxError, GradingError, ModelUnavailable, RunSpent, VerificationError) as error:
                yield Ended(key, None, failure=str(error))


def _place(plan: RunPlan, task: str, engine: Engine) -> Place:
    folder = plan.tasks_root / task
    return place_of(folder, plan.profile, engine, plan.mirror, starter=plan.starter, dataset=plan.dataset)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a run's folder, made when it is not there; the kernel frees it when its holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another process runs in {folder}; wait for it, or choose another --run name") from None
        yield
    finally:
        os.close(handle)


def run_episode(
    place: Place,
    agent: Agent | CommandAgent,
    seed: int,
    folder: Path,
    *,
    models: Models | None = None,
    watch: Watch = unwatched,
    aids: Aids = NO_AIDS,
) -> Episode:
    """One episode into `folder`, or the rest of one that is there."""
    recorder = Recorder(folder)
    try:
        with closing(EpisodeRun(place, agent, seed, recorder, models, watch, aids)) as episode:
            return episode.run()
    finally:
        recorder.close()


def _open_manifest(plan: RunPlan, engine: Engine, agent: Agent | CommandAgent, places: dict[str, Place]) -> str:
    """Write run.json, or demand that the one there describes this very plan; gives when the run was begun."""
    families = {str(place.task.image) for place in places.values()}
    names = families | {engine.agent_image(family) for family in families}  # graders run in the family itself
    images = {name: engine.image_digest(name) for name in names}
    manifest = RunManifest(
        schema_version=1,
        run=plan.run,
        agent=agent.name,
        agent_version=agent.version,
        model=agent.model or (plan.models.plan.name if plan.models else None),
        profile=plan.profile,
        variant=places[plan.tasks[0]].starter,
        dataset=places[plan.tasks[0]].dataset,
        sandbox=engine.kind,
        declares=tuple(sorted({*getattr(agent, "declares", ()), *plan.aids.declares})),
        tasks=tuple(plan.tasks),
        seeds=tuple(plan.seeds),
        images=images,
        tasks_sha256={task: folder_sha256(place.folder) for task, place in places.items()},
        harness_version=__version__,
        harness_commit=_commit(),
        hardware=hardware(engine.gpu_names()),
        created=now(),
    )
    file = plan.folder / "run.json"
    if not file.is_file():
        replace_file(file, manifest.canonical())
        return manifest.created
    there = RunManifest.from_json(file.read_bytes(), subject=str(file))
    differ = [
        name
        for name in RunManifest.model_fields
        if name not in ("created", "hardware") and getattr(there, name) != getattr(manifest, name)
    ]
    if differ:
        raise UsageError(f"{file} was begun with another {', '.join(differ)}; choose another --run name")
    return there.created


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


def _commit() -> str | None:
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
