"""Episode: one agent x one task x one seed, from reset to exit, as a record."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record, SemVer, Sha256, Timestamp
from harness.schema.starter import OtherStarter
from harness.schema.task import ProfileName, Split

ExitStatus = Literal[
    "success",  # the agent submitted a valid artifact
    "evaluation_error",  # it submitted, or was made to, and there was no valid artifact
    "max_steps",
    "format",
    "context",
    "cost",
    "wall_time",
    "runtime",  # the agent or its sandbox broke
    "permission",
    "interrupted",
    "unknown",  # imported only: upstream left no record of how it ended
]
ActionClass = Literal["Edit", "View", "Search", "Validate", "Submit", "Python", "Bash", "Memory", "Literature"]
Count = Annotated[int, Field(ge=0)]
MetricName = Annotated[str, Field(min_length=1, max_length=64)]


class Verdict(Record):
    """What a grader found for one artifact and one split. An invalid artifact has a reason and no metrics.

    `seed` is the seed of a sealed play grade, published after the fact; predictions have none.
    """

    split: Split
    metrics: dict[MetricName, float] = {}
    stderr: dict[MetricName, float] = {}
    n: int | None = Field(default=None, gt=0, description="rows, games or instances behind the metrics")
    invalid: str | None = Field(default=None, max_length=2000)
    seed: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    grader_version: SemVer
    duration_s: float = Field(ge=0)

    @property
    def valid(self) -> bool:
        return self.invalid is None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.invalid is None) != bool(self.metrics):
            raise ValueError("either metrics, or the reason why it is invalid")
        return self


class Attempt(Record):
    """One artifact handed in. An imported attempt has metrics as published and no artifact."""

    index: Count
    step: Count
    kind: Literal["validate", "submit", "unknown"]
    artifact_sha256: Sha256 | None = None
    artifact_bytes: Count | None = None
    refused: str | None = Field(default=None, max_length=2000, description="why the copy-out refused it")
    validation: Verdict | None = None
    sealed: Verdict | None = None
    published: dict[MetricName, float] | None = Field(default=None, description="imported, in upstream's own keys")


class Usage(Record):
    """What an episode used. Tokens by the provider's own counts; `reported_cost_usd` is the run's own sum."""

    input_tokens: Count = 0
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0
    api_calls: Count = 0
    wall_s: float | None = Field(default=None, ge=0)
    gpu_s: float | None = Field(default=None, ge=0)
    reported_cost_usd: float | None = Field(default=None, ge=0)


class Episode(Record):
    """A finished episode. A failed one is a row with its reason, never a missing row."""

    task: KebabId
    task_version: SemVer
    profile: ProfileName
    variant: OtherStarter | None = Field(default=None, description="another starter than the whole one; never ranked")
    dataset: KebabId | None = Field(default=None, description="another dataset than the task's own; never ranked")
    seed: Count
    exit_status: ExitStatus
    exit_detail: str | None = Field(default=None, max_length=2000)
    started: Timestamp | None = None
    steps: Count
    actions: dict[ActionClass, Count] = {}
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = Usage()
    published_baseline: dict[MetricName, float] | None = Field(
        default=None, description="imported: the baseline that the run's own file stored, verbatim"
    )

    @property
    def key(self) -> str:
        """`<task>/seed-<n>`: unique in a bundle, and the episode's folder in a run and in a payload part."""
        return f"{self.task}/seed-{self.seed}"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if [attempt.index for attempt in self.attempts] != list(range(len(self.attempts))):
            raise ValueError("attempts must be numbered 0, 1, 2, ... in order")
        return self
