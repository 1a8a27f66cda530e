"""Countersignature: what a second party states about somebody else's entry, and Parties: whose statement counts.

Takes TOML or JSON, gives frozen records. A statement grants nothing by itself: both runs are graded by the board's own
job, and scoring compares what that found.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import Day, HttpsUrl, KebabId, Line, PublicKey, Record, SemVer, Sha256, Submitter, Timestamp
from harness.schema.episode import Count


class Named(Record):
    """One entry, by the digest of its exact bundle.json."""

    entry: KebabId
    bundle_sha256: Sha256


class OwnRegrade(Record):
    """What the second party found when it graded the first one's artifacts itself (`gymboard regrade`)."""

    report_sha256: Sha256 = Field(description="of the regrade report, which the second party keeps")
    harness_version: SemVer
    engine: Literal["docker", "local"]
    attempts: Count = Field(ge=1)
    disagreements: Literal[0] = Field(description="whoever disagrees opens a challenge instead")


class Countersignature(Record):
    """The document countersign.json: `principal`, the listed party, ran the original's agent itself, as `own`."""

    schema_version: Literal[1]
    party: KebabId
    principal: Submitter
    original: Named
    own: Named
    regrade: OwnRegrade
    created: Timestamp


class Party(Record):
    """Somebody whose own run can reproduce another's. `keys`: whose counter-signatures are this party's."""

    name: KebabId
    title: Line
    principal: Submitter
    keys: tuple[PublicKey, ...] = Field(min_length=1)
    since: Day
    url: HttpsUrl | None = None


class Parties(Record):
    """The document submissions/parties.toml."""

    schema_version: Literal[1]
    party: tuple[Party, ...] = ()

    def named(self, name: str) -> Party | None:
        """The party of that name, when it is listed."""
        return next((one for one in self.party if one.name == name), None)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        keys = [key for one in self.party for key in one.keys]
        for values in ([one.name for one in self.party], [one.principal for one in self.party], keys):
            if len(set(values)) != len(values):
                raise ValueError("a name, a principal and a key belong to one party each")
        return self
