"""Bundle: an entry's whole record for scoring. Its canonical bytes are what is signed.

A bundle carries no rank, no AUP and no level: those are computed from evidence, on every build.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from harness.errors import Problem
from harness.schema.base import (
    Day,
    HttpsUrl,
    Inconsistent,
    KebabId,
    Line,
    Record,
    SafePath,
    SemVer,
    Sha256,
    Submitter,
    Timestamp,
)
from harness.schema.episode import Count, Episode, Real
from harness.schema.vocabulary import ProfileName

SCHEMA_VERSION = 1
SUITE_VERSION = "1.0.0"
MAX_EPISODES = 1000


class Entry(Record):
    """Who and what: one row of the board, identified by `id`, which is also its folder under submissions/."""

    id: KebabId
    agent: Line = Field(max_length=100)
    agent_version: Line = Field(max_length=100)
    model: Line | None = Field(default=None, max_length=100, description="provider's name; None: no model called")
    model_label: Line | None = Field(default=None, max_length=100)
    organization: Line | None = Field(default=None, max_length=100)
    url: HttpsUrl | None = None
    open_weights: bool | None = None
    date: Day


class Hardware(Record):
    """The machine that ran the episodes."""

    cpu: Line
    cores: int = Field(gt=0)
    memory_gib: float = Field(gt=0)
    gpu: Line | None = None


class PayloadPart(Record):
    """One file of evidence. `location` None: it lies beside bundle.json under `name`."""

    name: SafePath
    sha256: Sha256
    size_bytes: int = Field(ge=0)
    location: HttpsUrl | None = None


class AuditNote(Record):
    """A published value that is known to be invalid: what it was, why, and how anyone can see it."""

    task: KebabId
    seed: Count | None = None
    metric: Line
    value: Real
    finding: str = Field(min_length=1, max_length=500)
    evidence: str = Field(min_length=1, max_length=1000)


class Citation(Record):
    """Where the figures of an imported bundle come from."""

    title: Line
    url: HttpsUrl
    licence: Line


class Bundle(Record):
    """The document of submissions/<entry>/bundle.json."""

    schema_version: int = Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    suite_version: SemVer
    origin: Literal["run", "import"]
    submitter: Submitter
    entry: Entry
    profile: ProfileName
    sandbox: Literal["docker", "local"] | None = None
    images: dict[str, str] = Field(default={}, description="family -> image id or environment digest, sha256:...")
    tasks_sha256: dict[KebabId, Sha256] = Field(default={}, description="digest of each task folder that was run")
    declares: tuple[Line, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        description="what the agent was given beyond the task, sorted: embeddings <a paid model>, gateway, "
        "literature, memory, memory-shared, own-model-client, settings sha256:<digest of agent.toml>, "
        "program sha256:<digest of a command agent>. Absent: nothing",
    )
    harness_version: SemVer
    harness_commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}(-dirty)?$")
    hardware: Hardware | None = None
    created: Timestamp
    episodes: tuple[Episode, ...] = Field(min_length=1, max_length=MAX_EPISODES)
    payload: tuple[PayloadPart, ...] = ()
    audit: tuple[AuditNote, ...] = ()
    citation: Citation | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults: list[Problem] = []
        counts = Counter(episode.key for episode in self.episodes)
        faults += (Problem("episodes", f"{key} appears {n} times") for key, n in sorted(counts.items()) if n > 1)
        if any(episode.profile != self.profile for episode in self.episodes):
            faults.append(Problem("episodes", f"every episode must be in the bundle's profile {self.profile}"))
        if len({(episode.variant, episode.dataset) for episode in self.episodes}) > 1:
            faults.append(Problem("episodes", "every episode must have the same variant and the same dataset"))
        names = [part.name for part in self.payload]
        if len(set(names)) != len(names):
            faults.append(Problem("payload", "two parts have the same name"))
        if self.origin == "run" and self.sandbox is None:
            faults.append(Problem("sandbox", "a run names its sandbox"))
        if self.origin == "import" and self.citation is None:
            faults.append(Problem("citation", "an import cites its source"))
        if faults:
            raise Inconsistent(faults)
        return self
