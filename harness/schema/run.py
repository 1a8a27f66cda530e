"""RunManifest: what is true of a whole run, written before its first episode (runs/<run>/run.json)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.schema.base import KebabId, Line, Record, SemVer, Sha256, Timestamp
from harness.schema.bundle import SCHEMA_VERSION, Hardware
from harness.schema.episode import Count
from harness.schema.starter import OtherStarter
from harness.schema.task import ProfileName


class RunManifest(Record):
    """Everything that `pack` needs beside the episodes."""

    schema_version: int = Field(ge=SCHEMA_VERSION, le=SCHEMA_VERSION)
    run: KebabId
    agent: Line
    agent_version: Line
    model: Line | None = None
    profile: ProfileName
    variant: OtherStarter | None = Field(default=None, description="as in every episode")
    dataset: KebabId | None = Field(default=None, description="as in every episode")
    sandbox: Literal["docker", "local"]
    declares: tuple[Line, ...] = Field(default=(), description="as in the bundle")
    tasks: tuple[KebabId, ...] = Field(min_length=1)
    seeds: tuple[Count, ...] = Field(min_length=1)
    images: dict[str, str]
    tasks_sha256: dict[KebabId, Sha256]
    harness_version: SemVer
    harness_commit: str | None = None
    hardware: Hardware
    created: Timestamp
