"""Verdicts: what the board's own regrades found, one file a regrade beside its ledger, named by the file's SHA-256."""

from __future__ import annotations

from harness.schema.base import KebabId, Record, Sha256
from harness.schema.episode import Count, Verdict

LEDGER = "ledger.jsonl"
VERDICTS = "ledger.d"
"""Folder of the files that regrades and replays name, beside the ledger; no entry can have this name."""


class RegradeVerdict(Record):
    """What our own job found for one artifact of one attempt: the only source of a value on the season board."""

    artifact_sha256: Sha256
    attempt: Count
    seed: Count
    task: KebabId
    verdict: Verdict


class Verdicts(Record):
    """The document of ledger.d/<sha256>.json: what one regrade of one bundle found; nothing, where nothing was handed
    in."""

    bundle_sha256: Sha256
    entry: KebabId
    verdicts: tuple[RegradeVerdict, ...]
