"""RegradeReport: what a fresh grade of a bundle's artifacts found, and which level that could support.

A report grants nothing by itself: a job on main reads it, and the ledger records the level.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record, SemVer, Sha256, Submitter
from harness.schema.episode import Count, Verdict
from harness.schema.task import ProfileName


class Regraded(Record):
    """One attempt: the claimed value of the task's ranked metric beside the one that a fresh grade gave.

    `claimed` None: the bundle states no valid value. `cached`: the verdict was drawn for these very bytes before.
    """

    task: KebabId
    seed: Count
    attempt: Count
    roles: tuple[Literal["best", "final"], ...] = Field(min_length=1)
    artifact_sha256: Sha256
    metric: str
    claimed: float | None = None
    claimed_invalid: str | None = None
    measured: Verdict
    difference: float | None = Field(default=None, ge=0, description="|claimed - measured|")
    allowed: float | None = Field(default=None, ge=0, description="the difference up to which they agree")
    agrees: bool
    sentence: str
    cached: bool


class RegradeReport(Record):
    """One regrade of one bundle. `obstacles` are the reasons why it supports no more than `signed`."""

    schema_version: Literal[1]
    bundle_sha256: Sha256
    entry: KebabId
    submitter: Submitter
    profile: ProfileName
    suite_version: SemVer
    harness_version: SemVer
    engine: Literal["docker", "local"]
    images: dict[str, str] = Field(description="family -> digest of the image that graded")
    attempts: tuple[Regraded, ...]
    obstacles: tuple[str, ...] = ()
    supports: Literal["signed", "regraded"]

    @property
    def disagreements(self) -> tuple[Regraded, ...]:
        return tuple(attempt for attempt in self.attempts if not attempt.agrees)

    @model_validator(mode="after")
    def _no_level_without_evidence(self) -> Self:
        clear = not self.obstacles and not self.disagreements and self.engine == "docker"
        if (self.supports == "regraded") != clear:
            raise ValueError("regraded needs the docker engine, no obstacle and no disagreement, and only them")
        return self
