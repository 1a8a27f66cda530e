"""Of a bundle what its page says, in half the time that the whole record takes to read.

Takes the bytes of a bundle that was found to count, gives a record with the names and types of harness.schema.bundle
and fewer fields; the others are passed over. Checks types alone: never for bytes that nobody has read strictly.
"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import BaseModel, ConfigDict

from harness.schema.bundle import Bundle, Entry, Hardware, PayloadPart
from harness.schema.episode import Episode, ExitStatus


class _Some(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", defer_build=True)


class _Verdict(_Some):
    invalid: str | None = None
    metrics: dict[str, float] = {}


class _Attempt(_Some):
    step: int
    kind: Literal["validate", "submit", "unknown"]
    artifact_sha256: str | None = None
    refused: str | None = None
    validation: _Verdict | None = None
    sealed: _Verdict | None = None
    published: dict[str, float] | None = None


class _Usage(_Some):
    wall_s: float | None = None


class _Episode(_Some):
    task: str
    seed: int
    exit_status: ExitStatus
    exit_detail: str | None = None
    steps: int
    trace: str | None = None
    attempts: tuple[_Attempt, ...] = ()
    usage: _Usage = _Usage()
    key = Episode.key


class Brief(_Some):
    """The document of submissions/<entry>/bundle.json, as far as a page needs it."""

    suite_version: str
    origin: Literal["run", "import"]
    submitter: str
    entry: Entry
    sandbox: Literal["docker", "local"] | None = None
    images: dict[str, str] = {}
    declares: tuple[str, ...] | None = None
    harness_version: str
    harness_commit: str | None = None
    hardware: Hardware | None = None
    episodes: tuple[_Episode, ...]
    payload: tuple[PayloadPart, ...] = ()


def brief(data: bytes) -> Bundle:
    """To its readers a Bundle that lacks what they do not ask for. Raises pydantic's ValidationError."""
    return cast(Bundle, Brief.model_validate_json(data))
