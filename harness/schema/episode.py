"""Episode: one agent x one task x one seed, from reset to exit, as a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record, SemVer, Sha256, Timestamp
from harness.schema.document import MAX_WHOLE
from harness.schema.starter import OtherStarter
from harness.schema.vocabulary import ProfileName, Split

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
LETTERS: dict[ActionClass, str] = {
    "Edit": "E",
    "View": "V",
    "Search": "S",
    "Validate": "A",
    "Submit": "U",
    "Python": "P",
    "Bash": "B",
    "Memory": "M",
    "Literature": "L",
}
NO_ACTION = "-"
MAX_TRACE = 100_000
MAX_REAL = 1e18
"""Far beyond any measurement (published returns go down to -3.1e13); squares and sums of such numbers are finite."""
MODIFYING: tuple[ActionClass, ...] = ("Edit", "Python", "Bash")
Count = Annotated[int, Field(ge=0, le=MAX_WHOLE)]
Real = Annotated[float, Field(ge=-MAX_REAL, le=MAX_REAL)]
NonNegative = Annotated[float, Field(ge=0, le=MAX_REAL)]
Trace = Annotated[str, Field(pattern=r"^[EVSAUPBML-]*$", max_length=MAX_TRACE)]
MetricName = Annotated[str, Field(min_length=1, max_length=64)]


def counted(classes: Sequence[ActionClass | None]) -> dict[ActionClass, int]:
    """`actions` of an episode from the class of each step, in order; None: a step without an action."""
    return dict(Counter(kind for kind in classes if kind is not None))


def traced(classes: Sequence[ActionClass | None]) -> str | None:
    """`trace` of an episode from the class of each step; None when there are more than MAX_TRACE steps."""
    if len(classes) > MAX_TRACE:
        return None
    return "".join(NO_ACTION if kind is None else LETTERS[kind] for kind in classes)


class Verdict(Record):
    """What a grader found for one artifact and one split. An invalid artifact has a reason and no metrics.

    `seed` is the seed of a sealed play grade, published after the fact; predictions have none.
    """

    duration_s: NonNegative
    grader_version: SemVer
    invalid: str | None = Field(default=None, max_length=2000)
    metrics: dict[MetricName, Real] = {}
    n: int | None = Field(default=None, gt=0, le=MAX_WHOLE, description="rows, games or instances behind the metrics")
    seed: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    split: Split
    stderr: dict[MetricName, Real] = {}

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
    published: dict[MetricName, Real] | None = Field(default=None, description="imported, in upstream's own keys")


class Usage(Record):
    """What an episode used. Tokens by the provider's own counts; `reported_cost_usd` is the run's own sum."""

    input_tokens: Count = 0
    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    output_tokens: Count = 0
    reasoning_tokens: Count = 0
    api_calls: Count = 0
    wall_s: NonNegative | None = None
    gpu_s: NonNegative | None = None
    reported_cost_usd: NonNegative | None = None


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
    trace: Trace | None = Field(
        default=None,
        description="one letter a step, in order: E edit, V view, S search, A validate, U submit, P python, B bash, "
        "M memory, L literature, - a step without an action (the answer could not be parsed). A step is one turn of "
        "the agent; what the harness does itself (handing in at a limit) is none. As long as steps, its letters "
        "counted are actions. Absent: not recorded, or more than 100000 steps",
    )
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = Usage()
    published_baseline: dict[MetricName, Real] | None = Field(
        default=None, description="imported: the baseline that the run's own file stored, verbatim"
    )

    @property
    def key(self) -> str:
        """`<task>/seed-<n>`: unique in a bundle, and the episode's folder in a run and in a payload part."""
        return f"{self.task}/seed-{self.seed}"

    @property
    def modifies(self) -> bool | None:
        """Whether any action can have changed a file: an edit, a Python run, or a shell command that is not known to
        only look. None: the actions were not recorded. An episode that says False did nothing.

        Never wrong about False. True is an upper bound: imported episodes count `ls` as Bash, as upstream does.
        """
        if self.trace is None and not self.actions:
            return None
        return any(self.actions.get(kind) for kind in MODIFYING)

    def modifies_before(self, step: int) -> bool | None:
        """The same of the steps before `step` (from 1): whether the attempt of that step can differ from the starter.

        None: there is no trace, or `step` is 0 (an imported attempt that no action accounts for).
        """
        if self.trace is None or step < 1:
            return None
        return any(LETTERS[kind] in self.trace[: step - 1] for kind in MODIFYING)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if [attempt.index for attempt in self.attempts] != list(range(len(self.attempts))):
            raise ValueError("attempts must be numbered 0, 1, 2, ... in order")
        return self

    @model_validator(mode="after")
    def _traced(self) -> Self:
        if self.trace is None:
            return self
        if len(self.trace) != self.steps:
            raise ValueError(f"trace has {len(self.trace)} letters for {self.steps} steps")
        counted = {kind: n for kind, letter in LETTERS.items() if (n := self.trace.count(letter))}
        if counted != {kind: n for kind, n in self.actions.items() if n}:
            raise ValueError(f"trace has {counted}, but actions are {self.actions}")
        return self
