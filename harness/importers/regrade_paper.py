"""Every published score of the three games, beside what our referee says of the same strategy.

Takes published trajectories and an engine; recovers the strategy that upstream's grader saw at each score, grades it
with fresh seeds, gives one RegradedScore a score. Never takes upstream's word for what was scored: a strategy whose
text is not known whole is graded nowhere and called lost. Upstream played UPSTREAM_GAMES games a score and printed no
standard error.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.grading.base import Artifact, GradeJob, artifact_sha256, grade
from harness.importers.published import Published, catalogue, fetch
from harness.importers.traj import TrajStep, read_traj
from harness.importers.workspace import Workspace, recover
from harness.sandbox.base import Engine
from harness.schema.digest import folder_sha256
from harness.schema.episode import Verdict
from harness.schema.paper import RegradedScore
from harness.schema.task import TaskSpec, load_task, tasks_root
from harness.verdict_cache import VerdictCache, VerdictKey

GAMES = ("battle-of-sexes", "colonel-blotto", "prisoners-dilemma")
STRATEGY, OPPONENT_AND_GRADER = "strategy.py", ("target.py", "evaluate.py")
UPSTREAM_GAMES = 10_000
STANDARD_ERRORS = 4.0
ROUNDING = 1e-5
"""Upstream sums in single precision."""
NUMBERS = (UPSTREAM_GAMES, 500)
"""How many games are played: as many as upstream played, fewer where a strategy is too slow for our limits."""
REPLY_TIME_S = 900


@dataclass(frozen=True)
class Scored:
    """One published score and the strategy behind it. `changed`: opponent or grader files that were not upstream's own
    any more, each with the step that last edited it.
    """

    source: Published
    attempt: int
    kind: Literal["validate", "submit"]
    step: int
    published: float
    strategy: str | None
    changed: tuple[tuple[str, int], ...]


def published_scores(mirror: Path | None = None) -> Iterator[Scored]:
    """Every score of the games' published trajectories, in their order. Raises DataError, SchemaError."""
    for source in catalogue():
        if source.task in GAMES:
            yield from _scores(source, fetch(source, mirror))


def _scores(source: Published, data: bytes) -> Iterator[Scored]:
    run, metric, attempt = read_traj(data, source.name), source.upstream_task.metric, 0
    space, step = Workspace(), run.steps[-1]
    for step, space in zip(run.steps, recover(run.steps), strict=True):
        if step.scores is not None:
            yield _scored(source, attempt, "validate", step, step.scores[metric], space)
            attempt += 1
    if run.final is not None:
        yield _scored(source, attempt, "submit", step, run.final[metric], space)


def _scored(
    source: Published, attempt: int, kind: Literal["validate", "submit"], step: TrajStep, score: float, space: Workspace
) -> Scored:
    edits = ((name, space.changed(name)) for name in OPPONENT_AND_GRADER)
    changed = tuple((name, at) for name, at in edits if at is not None)
    return Scored(source, attempt, kind, step.number, score, space.files.get(STRATEGY), changed)


@dataclass(frozen=True)
class Grader:
    """Grades strategies; the same text is graded once, also by the next process when `cache` is a folder."""

    engine: Engine
    cache: VerdictCache
    root: Path

    def verdict(self, task: TaskSpec, strategy: str) -> Verdict:
        """Of the largest number of games that ends in time. Raises GradingError, SandboxError."""
        verdict = self._of(task, strategy, NUMBERS[0])
        return self._of(task, strategy, NUMBERS[1]) if _too_slow(verdict) else verdict

    def _of(self, task: TaskSpec, strategy: str, games: int) -> Verdict:
        folder = self.root / task.id
        artifact: Artifact = {STRATEGY: strategy.encode()}
        digest = artifact_sha256(artifact)
        key = VerdictKey(digest, folder_sha256(folder), task.grader.version, f"{games} games", self.engine.kind)
        if (known := self.cache.get(key)) is not None:
            return known
        job = GradeJob(_playing(task, games), folder, "official", "sealed", artifact, os.urandom(32))
        return self.cache.put(key, grade(job, self.engine))


def _playing(task: TaskSpec, games: int) -> TaskSpec:
    """The task with so many games, and with time enough that a busy machine decides nothing."""
    official = task.profiles["official"]
    sized = official.model_copy(update={"params": {**official.params, "games": games}})
    patient = task.limits.model_copy(update={"reply_time_s": REPLY_TIME_S, "grade_time_s": 4 * REPLY_TIME_S})
    return task.model_copy(update={"profiles": {**task.profiles, "official": sized}, "limits": patient})


def _too_slow(verdict: Verdict) -> bool:
    return verdict.invalid is not None and "in time" in verdict.invalid


def regrade_scores(
    scores: Sequence[Scored],
    engine: Engine,
    cache: Path | None = None,
    workers: int = 1,
    progress: Callable[[int, int, str], None] = lambda done, total, label: None,
) -> list[RegradedScore]:
    """One row a score, in order. Raises GradingError and SandboxError: a failure of ours is never a row."""
    root = tasks_root()
    tasks = {name: load_task(root / name) for name in GAMES}
    grader = Grader(engine, VerdictCache(cache), root)
    unique = sorted({(one.source.task, one.strategy) for one in scores if one.strategy is not None})

    def verdict(pair: tuple[str, str]) -> Verdict:
        return grader.verdict(tasks[pair[0]], pair[1])

    verdicts: dict[tuple[str, str], Verdict] = {}
    with ThreadPoolExecutor(workers) as pool:
        for number, (pair, found) in enumerate(zip(unique, pool.map(verdict, unique), strict=True), start=1):
            verdicts[pair] = found
            progress(number, len(unique), pair[0])
    return [_row(one, tasks[one.source.task], verdicts.get((one.source.task, one.strategy or ""))) for one in scores]


def _row(one: Scored, task: TaskSpec, verdict: Verdict | None) -> RegradedScore:
    value = stderr = sigmas = None
    if verdict and verdict.valid:
        value, stderr = verdict.metrics[task.metric.name], verdict.stderr[task.metric.name]
        sigmas = _sigmas(one.published, value, stderr, verdict.n or 1)
    return RegradedScore(
        model=one.source.model,
        task=task.id,
        seed=one.source.seed,
        attempt=one.attempt,
        kind=one.kind,
        step=one.step,
        published=one.published,
        regraded=value,
        stderr=stderr,
        games=verdict.n if verdict else None,
        sigmas=None if sigmas is None else round(sigmas, 2),
        finding=_finding(one, verdict, sigmas),
        changed=" ".join(f"{name}@{step}" for name, step in one.changed),
        artifact_sha256=artifact_sha256({STRATEGY: one.strategy.encode()}) if one.strategy is not None else None,
        reason=" ".join((verdict.invalid or "").split())[:300] if verdict else "the strategy's text is not known whole",
    )


def _sigmas(published: float, value: float, stderr: float, games: int) -> float:
    """The difference in combined standard errors; upstream's own error follows from ours, game for game."""
    combined = stderr * math.sqrt(1 + games / UPSTREAM_GAMES)
    difference = published - value
    return 0.0 if abs(difference) <= ROUNDING else difference / max(combined, ROUNDING)


def _finding(
    one: Scored, verdict: Verdict | None, sigmas: float | None
) -> Literal["agrees", "differs", "changed", "invalid", "lost"]:
    if verdict is None:
        return "lost"
    if one.changed:
        return "changed"
    if sigmas is None:
        return "invalid"
    return "agrees" if abs(sigmas) <= STANDARD_ERRORS else "differs"
