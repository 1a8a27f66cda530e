"""RegradePlan: what a regrade of a bundle would grade and a replay execute, and how long that takes, before it runs.

Takes a bundle and the tasks, gives one row a task. An estimate comes from the grading times that the bundle's own
verdicts state, so it is the submitter's word about her machine; the bound is the task's limit. Never reads a payload,
so it also plans for one that lies elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.payload import kept_attempts
from harness.schema.bundle import Bundle
from harness.schema.task import TaskSpec


@dataclass(frozen=True)
class Planned:
    """One task. Seconds of one grader after the other; `estimate_s` None: no verdict states a time.

    `grades`: different artifacts, since equal bytes are graded once. `bound_s`: every grade takes its whole limit.
    `replays`: episodes that left an artifact, each executed again; `replay_s` is their recorded wall time, the model's
    thinking included, None when one states none or when a finished program acted, which cannot be replayed.
    """

    task: str
    kind: str
    attempts: int
    grades: int
    estimate_s: float | None
    bound_s: int
    download_bytes: int
    replay: str
    replays: int = 0
    replay_s: float | None = None
    note: str = ""


def plan(bundle: Bundle, tasks: Mapping[str, TaskSpec]) -> tuple[Planned, ...]:
    """Every task of the bundle, by name; one that the suite does not have has no grades and says so."""
    return tuple(_task(bundle, name, tasks.get(name)) for name in sorted({e.task for e in bundle.episodes}))


def _task(bundle: Bundle, name: str, spec: TaskSpec | None) -> Planned:
    parts = [part for part in bundle.payload if part.location and part.name == f"{name}.tar.zst"]
    size = sum(part.size_bytes for part in parts)
    if spec is None:
        return Planned(name, "-", 0, 0, None, 0, size, "no", note="not a task of this suite")
    episodes = [episode for episode in bundle.episodes if episode.task == name]
    kept = [attempt for episode in episodes for attempt in kept_attempts(episode, spec.metric)]
    distinct = {str(attempt.artifact_sha256): attempt for attempt in kept}
    times = [attempt.sealed.duration_s for attempt in distinct.values() if attempt.sealed]
    estimate = sum(times) / len(times) * len(distinct) if times else None
    bound, versions = len(distinct) * spec.limits.grade_time_s, {episode.task_version for episode in episodes}
    note = "" if versions == {spec.version} else f"ran {', '.join(sorted(versions))}, the task is at {spec.version}"
    opaque = "command" in (bundle.declares or ())
    again = [] if opaque else [episode for episode in episodes if kept_attempts(episode, spec.metric)]
    walls = [episode.usage.wall_s for episode in again]
    seconds = None if opaque or None in walls else sum(wall or 0.0 for wall in walls)
    return Planned(
        name,
        spec.grader.kind,
        len(kept),
        len(distinct),
        estimate,
        bound,
        size,
        spec.replay,
        len(again),
        seconds,
        note,
    )
