"""A run: tasks x seeds, resumable at the granularity of an episode.

Takes a RunPlan, gives runs/<run>/ with run.json first and one folder an episode. What has an episode.json is never
run again. Several processes may play episodes of one run; none plays one that another plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from harness.agents.base import Agent
from harness.agents.command import CommandAgent
from harness.data import prepare
from harness.errors import (
    GradingError,
    ModelUnavailable,
    Problem,
    RunSpent,
    SandboxError,
    SchemaError,
    VerificationError,
    in_words,
)
from harness.files import Kept, demand_room, nothing_more
from harness.llm.meter import Models
from harness.runner.aids import Aids
from harness.runner.episode import NO_AIDS, EpisodeRun
from harness.runner.locks import episode_lock, run_lock
from harness.runner.manifest import open_manifest
from harness.runner.phases import LOG, UNTOLD, Telling
from harness.runner.place import Place
from harness.runner.progress import Rest, Watch, never, unwatched
from harness.runner.recorder import Recorder
from harness.runner.steady import steadily
from harness.sandbox.base import Engine
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
    log: Path | None = None
    traceparent: str | None = None

    @property
    def telling(self) -> Telling:
        """Where the run tells of itself: in `log`, else in its own folder; `traceparent` is the span above."""
        key_env = self.models.plan.key_env if self.models else None
        return Telling(self.run, self.log or self.folder / LOG, key_env, self.traceparent)


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


@dataclass(frozen=True)
class Begun:
    """A plan on an engine, once run.json stands: its places by task, its aids under the run's own name."""

    plan: RunPlan
    places: Mapping[str, Place]
    aids: Aids
    kept: Kept = nothing_more

    def play(self, key: str, watch: Watch = unwatched, rest: Rest = never) -> Ended:
        """Episode `key`, unless it has ended already. A sandbox, grader, model or disk that breaks costs this episode
        and no other. Raises UsageError while another process plays it, Abandoned when `rest` does."""
        task, seed = seed_of(key)
        folder = self.plan.folder / key
        with episode_lock(self.plan.folder, key):
            if there := finished(self.plan.folder, key):
                return Ended(key, there, fresh=False)
            place, plan = self.places[task], self.plan

            def once() -> Episode:
                demand_room(plan.folder)
                return run_episode(
                    place,
                    plan.agent_for(place, seed),
                    seed,
                    folder,
                    models=plan.models,
                    watch=watch,
                    aids=self.aids,
                    rest=rest,
                    telling=plan.telling,
                    kept=self.kept,
                )

            try:
                done = steadily(place.engine, key, once)
            except (SandboxError, GradingError, ModelUnavailable, RunSpent, VerificationError, OSError) as error:
                return Ended(key, None, failure=in_words(error))
            return Ended(key, done)


def begin(plan: RunPlan, engine: Engine) -> Begun:
    """Prepare every task of the plan and write run.json, or hold the plan to the one that is there."""
    places = {task: place_for(plan, task, engine) for task in plan.tasks}
    agent = plan.agent_for(places[plan.tasks[0]], plan.seeds[0])
    return begun(plan, places, open_manifest(plan, engine, agent, places))


def begun(plan: RunPlan, places: Mapping[str, Place], manifest: RunManifest, kept: Kept = nothing_more) -> Begun:
    """A plan whose run.json stands already."""
    return Begun(plan, places, replace(plan.aids, run=f"{plan.run}@{manifest.created}"), kept)


def run_episodes(plan: RunPlan, engine: Engine, watch: Watch = unwatched) -> Iterator[Ended]:
    """Every episode of the plan, in order, in this process. `watch` is told how each one goes.

    Raises UsageError when another process is at work in the plan's folder: their steps and artifacts would mingle.
    """
    with run_lock(plan.folder), plan.telling.whole(profile=plan.profile) as told:
        ready = begin(replace(plan, traceparent=told.traceparent), engine)
        for key in keys_of(plan.tasks, plan.seeds):
            yield ready.play(key, watch)


def keys_of(tasks: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """Every episode's key, which is its folder in the run's: seed after seed, task after task."""
    return [f"{task}/seed-{seed}" for task in tasks for seed in seeds]


def finished(run: Path, key: str) -> Episode | None:
    """The record of episode `key` of the run in `run`; None: it has not ended.

    Raises SchemaError when it cannot be read, or is another episode's.
    """
    file = run / key / "episode.json"
    if not file.is_file():
        return None
    episode = Episode.from_json(file.read_bytes(), subject=str(file.parent))
    if episode.key != key:
        raise SchemaError(
            str(file.parent),
            [Problem("episode.json", f"is the record of {episode.key}; remove it, and --resume plays this one")],
        )
    return episode


def told(run: Path, key: str, *, fresh: bool = True) -> Ended:
    """How an episode ended of which a worker says that it has: what lies in the run's folder counts, not the word."""
    try:
        episode = finished(run, key)
    except (SchemaError, OSError) as error:
        return Ended(key, None, failure=f"what its worker left cannot be read: {in_words(error)}")
    return Ended(
        key, episode, fresh, "" if episode else "its worker says that it has ended, and there is no record of it"
    )


def seed_of(key: str) -> tuple[str, int]:
    """Task and seed of an episode's key."""
    task, _, seed = key.partition("/seed-")
    return task, int(seed)


def place_for(plan: RunPlan, task: str, engine: Engine) -> Place:
    """The place of one of the plan's tasks. Raises as place_of does."""
    folder = plan.tasks_root / task
    return place_of(folder, plan.profile, engine, plan.mirror, starter=plan.starter, dataset=plan.dataset)


def run_episode(
    place: Place,
    agent: Agent | CommandAgent,
    seed: int,
    folder: Path,
    *,
    models: Models | None = None,
    watch: Watch = unwatched,
    aids: Aids = NO_AIDS,
    rest: Rest = never,
    telling: Telling = UNTOLD,
    kept: Kept = nothing_more,
) -> Episode:
    """One episode into `folder`, or the rest of one that is there. `rest` is called between two steps: what it raises
    leaves the episode unfinished, with every step on disk. `telling`: to whom the episode tells where its time goes,
    beside its own folder."""
    recorder = Recorder(folder, kept)
    try:
        with (
            telling.one(f"{place.task.id}/seed-{seed}", folder, agent=agent.name, profile=place.profile) as phases,
            closing(EpisodeRun(place, agent, seed, recorder, models, watch, aids, rest, phases)) as episode,
        ):
            return episode.run()
    finally:
        recorder.close()
