"""ReplayReport: what executing a bundle's recorded actions again led to, task by task.

A report grants nothing by itself: a job on main reads it, and the ledger records what it found.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record, SemVer, Sha256, Submitter
from harness.schema.episode import Count, NonNegative, Real, Verdict
from harness.schema.task import ProfileName

Outcome = Literal["agrees", "differs", "unfinished", "excused"]
Replayability = Literal["ci", "maintainer", "no"]


class AttemptReplay(Record):
    """One kept artifact beside the one that the same step made now. `expected` is `regraded` when our own regrade of
    the recorded bytes gave it, else the bundle's claim; `replayed` None: the step made no artifact.
    """

    attempt: Count
    artifact_sha256: Sha256
    replayed_sha256: Sha256 | None = None
    metric: str
    expected: Real | None = None
    expected_from: Literal["regraded", "claimed"]
    replayed: Verdict | None = None
    difference: NonNegative | None = Field(default=None, description="|expected - replayed|")
    allowed: NonNegative | None = Field(default=None, description="the difference up to which they agree")
    agrees: bool
    sentence: str = Field(max_length=4000)


class EpisodeReplay(Record):
    """One episode. `diverged_at`: the first step whose exit code is another; `paced`: a time-out fell on one side only,
    so that the speed of the machine had its say.
    """

    seed: Count
    steps: Count
    diverged_at: Count | None = None
    divergence: str = Field(default="", max_length=1000)
    paced: bool = False
    attempts: tuple[AttemptReplay, ...]
    seconds: NonNegative

    @property
    def agrees(self) -> bool:
        return all(attempt.agrees for attempt in self.attempts)


class TaskReplay(Record):
    """One task. `outcome`: agrees or differs; unfinished, with the `reason`; excused: not this job's, or nothing was
    handed in. `training_sd`: the task's measured training spread of the metric; None: unmeasured.
    """

    task: KebabId
    replay: Replayability
    outcome: Outcome
    reason: str = Field(default="", max_length=4000)
    fresh_ids: bool = False
    training_sd: NonNegative | None = None
    episodes: tuple[EpisodeReplay, ...] = ()
    seconds: NonNegative = 0.0

    @property
    def worst(self) -> tuple[EpisodeReplay, AttemptReplay] | None:
        """The first attempt that was not found again."""
        pairs = ((episode, attempt) for episode in self.episodes for attempt in episode.attempts)
        return next((pair for pair in pairs if not pair[1].agrees), None)

    @model_validator(mode="after")
    def _follows(self) -> Self:
        if (self.outcome == "agrees") != (bool(self.episodes) and self.worst is None and not self.reason):
            raise ValueError("a task agrees when every attempt of its episodes does and nothing was left out")
        if self.outcome == "differs" and self.worst is None:
            raise ValueError("a task differs by an attempt that was not found again")
        return self


class ReplayReport(Record):
    """One replay of one bundle."""

    schema_version: Literal[1]
    bundle_sha256: Sha256
    entry: KebabId
    submitter: Submitter
    profile: ProfileName
    suite_version: SemVer
    harness_version: SemVer
    engine: Literal["docker", "local"]
    sandbox: Literal["docker", "local"] = Field(description="where the recorded episodes ran")
    images: dict[str, str] = Field(description="family -> digest of the image that the actions ran in")
    tasks: tuple[TaskReplay, ...] = Field(min_length=1)

    @property
    def differing(self) -> tuple[TaskReplay, ...]:
        return tuple(task for task in self.tasks if task.outcome == "differs")

    @property
    def unfinished(self) -> tuple[TaskReplay, ...]:
        return tuple(task for task in self.tasks if task.outcome == "unfinished")
