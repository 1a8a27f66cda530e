"""A whole entry: the recorded actions of its episodes, executed again task by task, beside what our regrade found.

Takes a bundle folder whose contents hold, an engine and a way to a task's place, gives a ReplayReport. Tasks whose
artifact is joined on ids get fresh ones, drawn now. Never asks a model, never trusts a claimed value that a regrade
has, and grants no level itself.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness import __version__
from harness.errors import DataError, GradingError, SandboxError, SchemaError, UsageError, VerificationError
from harness.files import replace_file
from harness.payload import kept_attempts
from harness.replay.task import TaskWork
from harness.runner.place import Place
from harness.sandbox.base import Engine
from harness.sandbox.owner import folder_prefix, remove_folder
from harness.schema.bundle import SUITE_VERSION, Bundle
from harness.schema.episode import Episode
from harness.schema.replay import ReplayReport, TaskReplay
from harness.schema.task import TaskSpec, load_task, tasks_root
from harness.verify import verify_contents

PlaceOf = Callable[[Path, Bundle], Place]
"""(a task's folder, the bundle) -> where its episodes happen, data prepared."""
Progress = Callable[[int, int, str], None]
"""(replayed so far, of how many, what comes next)."""
Broken = (SandboxError, GradingError, DataError, VerificationError, SchemaError)
OPAQUE = "a finished program acted: what it did inside was not recorded, so that nothing can be executed again"


@dataclass(frozen=True)
class Wanted:
    """What to replay. `tasks` None: those that task.toml gives to the job on main; `episodes`: these keys of them, and
    no other; `within_s`: a task is not begun when its recorded wall time no longer fits, cheapest first.
    """

    tasks: Sequence[str] | None = None
    episodes: Collection[str] | None = None
    within_s: float | None = None


def replay_entry(
    bundle_folder: Path,
    engine: Engine,
    place_of: PlaceOf,
    *,
    wanted: Wanted | None = None,
    root: Path | None = None,
    cache: Path | None = None,
    keep: Path | None = None,
    progress: Progress = lambda done, total, label: None,
    draw: Callable[[int], bytes] = os.urandom,
) -> ReplayReport:
    """Execute every wanted episode that left an artifact again.

    `cache` is the folder that `gymboard regrade --cache` fills: the regraded values are read there, and a finished
    task's replay is kept, so that nothing is drawn twice. `keep`: a folder for the replayed episodes. The signature is
    not looked at. Raises VerificationError when the contents do not hold, UsageError on an unknown task or an import.
    """
    contents = verify_contents(bundle_folder)
    bundle, asked = contents.bundle, wanted or Wanted()
    present = {episode.task for episode in bundle.episodes}
    if unknown := sorted(set(asked.tasks or ()) - present):
        raise UsageError(f"the bundle has no task {', '.join(unknown)}; it has {', '.join(sorted(present))}")
    if bundle.origin == "import":
        raise UsageError(f"{bundle.entry.id} is an import: it has published figures and no actions of ours")
    with _scratch() as scratch:
        work = _Work(bundle, engine, place_of, root or tasks_root(), asked, progress)
        shared = TaskWork(bundle_folder, bundle.episodes, cache, keep or scratch / "kept", scratch, draw, work.next)
        tasks = tuple(work.run(shared, sorted(asked.tasks or present)))
    return ReplayReport(
        schema_version=1,
        bundle_sha256=contents.bundle_sha256,
        entry=bundle.entry.id,
        submitter=bundle.submitter,
        profile=bundle.profile,
        suite_version=SUITE_VERSION,
        harness_version=__version__,
        engine=engine.kind,
        sandbox=bundle.sandbox or "local",
        images=work.images,
        tasks=tasks,
    )


def write_report(report: ReplayReport, bundle_folder: Path) -> Path:
    """`<bundle folder>.replay.json`, beside the folder (inside it would be a stranger), replaced as a whole."""
    folder = bundle_folder.resolve()
    return replace_file(folder.with_name(f"{folder.name}.replay.json"), report.canonical())


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that an agent of the local sandbox may enter, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=folder_prefix()))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        remove_folder(folder)


@dataclass
class _Work:
    """The state of one replay."""

    bundle: Bundle
    engine: Engine
    place_of: PlaceOf
    root: Path
    asked: Wanted
    progress: Progress
    images: dict[str, str] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0

    def next(self, episode: Episode) -> None:
        """Tell which episode begins."""
        self.progress(self.done, self.total, episode.key)
        self.done += 1

    def run(self, shared: TaskWork, tasks: Sequence[str]) -> Iterator[TaskReplay]:
        """Task by task, the cheapest first, so that a limit of time leaves out as few as can be."""
        specs = {task: load_task(self.root / task) for task in tasks}
        due = {task: self._episodes(spec) for task, spec in specs.items()}
        self.total = sum(map(len, due.values()))
        order = sorted(tasks, key=lambda task: (recorded_s(due[task].values()), task))
        found = {task: self._task(shared, specs[task], due[task]) for task in order}
        yield from (found[task] for task in tasks)

    def _episodes(self, spec: TaskSpec) -> dict[str, Episode]:
        """The episodes to replay: those that left an artifact, of a task that is this job's or was asked for."""
        if self.asked.tasks is None and spec.replay != "ci":
            return {}
        return {
            e.key: e
            for e in self.bundle.episodes
            if e.task == spec.id
            and kept_attempts(e, spec.metric)
            and (self.asked.episodes is None or e.key in self.asked.episodes)
        }

    def _task(self, shared: TaskWork, spec: TaskSpec, due: Mapping[str, Episode]) -> TaskReplay:
        task = TaskReplay(task=spec.id, replay=spec.replay, outcome="excused")
        if not due:
            dear = spec.replay != "ci" and self.asked.tasks is None
            reason = f"task.toml says replay = {spec.replay!r}" if dear else "no episode left an artifact"
            return task.model_copy(update={"reason": reason})
        try:
            if why := self._hindered(spec, due):
                return task.model_copy(update={"outcome": "unfinished", "reason": why})
            place = self.place_of(self.root / spec.id, self.bundle)
            name = self.engine.agent_image(place.task.image)
            self.images[name] = self.engine.image_digest(name)
            return shared.replay(place, due)
        except Broken as error:
            return task.model_copy(update={"outcome": "unfinished", "reason": str(error)[:4000]})

    def _hindered(self, spec: TaskSpec, due: Mapping[str, Episode]) -> str | None:
        if "command" in (self.bundle.declares or ()):
            return OPAQUE
        if versions := sorted({e.task_version for e in due.values()} - {spec.version}):
            return f"it ran version {', '.join(versions)}, the task is at {spec.version}"
        left = None if self.asked.within_s is None else self.asked.within_s - (time.monotonic() - self.begun)
        needed = recorded_s(due.values())
        if left is not None and needed > left:
            return f"recorded in {needed:.0f} s, and {max(0.0, left):.0f} s were left; a maintainer replays it"
        return None


def recorded_s(episodes: Collection[Episode]) -> float:
    """Recorded wall time, seconds, the model's thinking included; an episode that states none counts as nothing."""
    return sum(episode.usage.wall_s or 0.0 for episode in episodes)
