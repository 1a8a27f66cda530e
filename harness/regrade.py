"""Regrade: the artifacts of a bundle, graded again where their agent never was.

Takes a bundle folder whose contents hold, an engine and the graders' data, gives a RegradeReport: claimed beside
measured, for the best and the final artifact of every episode. Seeds are drawn only after the artifact is in hand.
Never trusts a claimed value or a claimed error, never scores what could not be graded, and grants no level itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import __version__
from harness.comparison import compare
from harness.errors import GradingError, SandboxError, UsageError, VerificationError
from harness.files import replace_file
from harness.grading.base import Artifact, GradeJob, grade
from harness.payload import AttemptKey, extract, kept_attempts, part_name
from harness.runner.steady import steadily
from harness.sandbox.base import Engine
from harness.schema.bundle import SUITE_VERSION, Bundle
from harness.schema.digest import folder_sha256
from harness.schema.episode import Attempt, Episode, Verdict
from harness.schema.regrade import Regraded, RegradeReport
from harness.schema.task import ProfileName, TaskSpec, load_task, tasks_root
from harness.verdict_cache import VerdictCache, VerdictKey
from harness.verify import verify_contents

GraderData = Callable[[TaskSpec, Path, ProfileName], Path | None]
"""(task, its folder, profile) -> the prepared grader/ folder, None when the task has none."""
Progress = Callable[[int, int, str], None]
"""(graded so far, of how many, what comes next)."""
Grade = Callable[[GradeJob, Engine], Verdict]


def regrade(
    bundle_folder: Path,
    engine: Engine,
    data: GraderData,
    *,
    tasks: Sequence[str] | None = None,
    root: Path | None = None,
    cache: Path | None = None,
    progress: Progress = lambda done, total, label: None,
    draw: Callable[[int], bytes] = os.urandom,
    grader: Grade = grade,
) -> RegradeReport:
    """Grade the best and the final artifact of every episode again; equal bytes are graded once.

    `tasks` restricts it (then no level is supported), `root` holds the task folders, `cache` keeps verdicts between
    calls, `draw(32)` gives the seed of a grade. The signature is not looked at: call verify first, and see that its
    bundle_sha256 is the report's. Raises VerificationError when the contents do not hold, UsageError on an unknown
    task, DataError when a grader's data cannot be had. What could not be graded becomes an obstacle of the report.
    """
    contents = verify_contents(bundle_folder)
    bundle = contents.bundle
    present = {episode.task for episode in bundle.episodes}
    if unknown := sorted(set(tasks or ()) - present):
        raise UsageError(f"the bundle has no task {', '.join(unknown)}; it has {', '.join(sorted(present))}")
    if bundle.origin == "import":
        raise UsageError(f"{bundle.entry.id} is an import: it has published figures and no artifact to grade")
    work = _Regrade(bundle_folder, bundle, engine, root or tasks_root(), VerdictCache(cache), draw, grader)
    if left_out := sorted(present - set(tasks or present)):
        work.obstacles.append(f"not asked for: {', '.join(left_out)}")
    attempts = work.run(sorted(tasks or present), data, progress)
    return _report(contents.bundle_sha256, work, attempts)


def write_report(report: RegradeReport, bundle_folder: Path) -> Path:
    """`<bundle folder>.regrade.json`, beside the folder (inside it would be a stranger), replaced as a whole."""
    folder = bundle_folder.resolve()
    return replace_file(folder.with_name(f"{folder.name}.regrade.json"), report.canonical())


@dataclass(frozen=True)
class _Job:
    """One attempt to grade, with its frozen bytes."""

    spec: TaskSpec
    folder: Path
    task_sha256: str
    grader_data: Path | None
    episode: Episode
    attempt: Attempt
    artifact: Artifact


@dataclass
class _Regrade:
    """The state of one regrade."""

    bundle_folder: Path
    bundle: Bundle
    engine: Engine
    root: Path
    cache: VerdictCache
    draw: Callable[[int], bytes]
    grader: Grade
    obstacles: list[str] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    fresh: dict[VerdictKey, Verdict] = field(default_factory=dict)

    def run(self, tasks: Sequence[str], data: GraderData, progress: Progress) -> list[Regraded]:
        """Task by task, so that one task's artifacts are in memory at a time."""
        dataset = self.bundle.episodes[0].dataset  # of all its episodes, which the schema sees to
        specs = {task: load_task(self.root / task).on(dataset) for task in tasks}
        total = sum(len(kept_attempts(e, specs[e.task].metric)) for e in self.bundle.episodes if e.task in specs)
        done, found = 0, []
        for task, spec in specs.items():
            for job in self._jobs(spec, data):
                progress(done, total, f"{job.episode.key} attempt {job.attempt.index}")
                if (result := self._regrade(job)) is not None:
                    found.append(result)
                done += 1
            progress(done, total, f"{task} done")
        return found

    def _jobs(self, spec: TaskSpec, data: GraderData) -> Iterator[_Job]:
        episodes = {episode.key: episode for episode in self.bundle.episodes if episode.task == spec.id}
        versions = {episode.task_version for episode in episodes.values()}
        if versions != {spec.version}:
            ran = ", ".join(sorted(versions))
            self.obstacles.append(f"{spec.id}: the bundle ran version {ran}, the task is at {spec.version}")
            return
        self.obstacles += [
            f"{e.key} attempt {a.index} claims a value without an artifact"
            for e in episodes.values()
            for a in e.attempts
            if a.sealed and not a.artifact_sha256
        ]
        wanted = {(e.key, a.index): a for e in episodes.values() for a in kept_attempts(e, spec.metric)}
        artifacts = self._extract(spec, episodes, wanted)
        if not artifacts:
            return
        folder = self.root / spec.id
        digest, grader_data = folder_sha256(folder), data(spec, folder, self.bundle.profile)
        self.images[spec.image] = self.engine.image_digest(spec.image)
        for (key, index), artifact in sorted(artifacts.items()):
            yield _Job(spec, folder, digest, grader_data, episodes[key], wanted[key, index], artifact)

    def _extract(
        self, spec: TaskSpec, episodes: Mapping[str, Episode], wanted: Mapping[AttemptKey, Attempt]
    ) -> dict[AttemptKey, Artifact]:
        part = self.bundle_folder / part_name(spec.id)
        limits = {file.path: file.max_bytes for file in spec.artifact}
        found: dict[AttemptKey, Artifact] = {}
        if wanted and part.name in {named.name for named in self.bundle.payload}:
            try:
                found = extract(part, episodes, wanted, limits)
            except VerificationError as error:
                self.obstacles.append(f"{spec.id}: {error}")
                return {}
        if missing := sorted(wanted.keys() - found.keys()):
            names = ", ".join(f"{key} attempt {index}" for key, index in missing)
            self.obstacles.append(f"the payload lacks the artifact of {names}")
        return found

    def _regrade(self, job: _Job) -> Regraded | None:
        key = VerdictKey(
            str(job.attempt.artifact_sha256),
            job.task_sha256,
            job.spec.grader.version,
            self.bundle.profile,
            self.engine.kind,
            job.episode.dataset,
        )
        cached = self.fresh.get(key) or self.cache.get(key)
        try:
            verdict = cached or self.cache.put(key, self._grade(job))
        except (GradingError, SandboxError) as error:
            self.obstacles.append(f"{job.episode.key} attempt {job.attempt.index} could not be graded: {error}")
            return None
        self.fresh[key] = verdict
        return compare(job.spec, job.episode, job.attempt, verdict, cached=cached is not None)

    def _grade(self, job: _Job) -> Verdict:
        seed = self.draw(32)
        profile = self.bundle.profile
        asked = GradeJob(job.spec, job.folder, profile, "sealed", job.artifact, seed, job.grader_data)
        return steadily(self.engine, f"a grade of {job.episode.key}", lambda: self.grader(asked, self.engine))


def _report(bundle_sha256: str, work: _Regrade, attempts: Sequence[Regraded]) -> RegradeReport:
    bundle, obstacles = work.bundle, list(work.obstacles)
    if work.engine.kind == "local":
        obstacles.append("graded in the local sandbox: plain processes on one machine prove no isolation")
    if bundle.sandbox == "local":
        obstacles.append("the episodes ran in the local sandbox, whose bundles never rise above signed")
    wrong = [attempt for attempt in attempts if not attempt.agrees]
    obstacles += [f"{a.task}/seed-{a.seed} attempt {a.attempt} disagrees: {a.sentence}" for a in wrong]
    return RegradeReport(
        schema_version=1,
        bundle_sha256=bundle_sha256,
        entry=bundle.entry.id,
        submitter=bundle.submitter,
        profile=bundle.profile,
        suite_version=SUITE_VERSION,
        harness_version=__version__,
        engine=work.engine.kind,
        images=work.images,
        attempts=tuple(attempts),
        obstacles=tuple(obstacles),
        supports="signed" if obstacles else "regraded",
    )
