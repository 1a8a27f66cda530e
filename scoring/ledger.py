"""The public decision ledger: a chain of lines, and the level that an entry's evidence supports.

Takes submissions/ledger.jsonl, gives verified lines, appends new ones. Every line names the digest of the line before
it, so no line can be changed, dropped or moved without breaking the chain. Never believes a level that a bundle claims.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import KebabId, Record, Sha256, Timestamp
from harness.schema.episode import Count, Verdict

Level = Literal["reported", "signed", "regraded", "replayed", "reproduced"]
Kind = Literal["inclusion", "regrade", "downgrade", "removal"]
START = "0" * 64


class RegradeVerdict(Record):
    """What our own job found for one artifact of one attempt: the only source of a value on the season board."""

    task: KebabId
    seed: Count
    attempt: Count
    artifact_sha256: Sha256
    verdict: Verdict


class LedgerLine(Record):
    """One decision, with its reason and its evidence."""

    sequence: Count
    previous: Sha256 = Field(description="`sha256` of the line before; 64 zeros in the first line")
    time: Timestamp
    kind: Kind
    entry: KebabId
    bundle_sha256: Sha256
    reason: str = Field(min_length=1, max_length=2000)
    key_fingerprint: str | None = Field(default=None, max_length=200, description="inclusion: the key that signed")
    level: Level | None = Field(default=None, description="downgrade: the level that the entry falls to")
    verdicts: tuple[RegradeVerdict, ...] = ()
    sha256: Sha256 = Field(description="over this line without this field")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sha256 != digest(self.model_dump(mode="json", exclude_none=True, exclude={"sha256"})):
            raise ValueError("the line's sha256 does not fit its content")
        if bool(self.verdicts) != (self.kind == "regrade"):
            raise ValueError("verdicts belong to a regrade, and a regrade has some")
        if (self.level is not None) != (self.kind == "downgrade"):
            raise ValueError("a level belongs to a downgrade, and a downgrade has one")
        return self


def digest(tree: dict[str, Any]) -> str:
    """SHA-256 of one line's content in its compact form: sorted keys, no spaces, UTF-8."""
    return hashlib.sha256(_compact(tree)).hexdigest()


def _compact(tree: dict[str, Any]) -> bytes:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
