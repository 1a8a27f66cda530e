"""Reproduced: the counter-signatures that stand now, of those that the ledger names.

Takes the folder of entries and the ledger, gives pairs of bundles. A line of the ledger is not enough: the statement
must lie there unchanged, by a party that is still listed, with a key that still counts. Never compares scores: that was
done when the line was written, and both entries' levels are looked at again by levels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.countersign import STATEMENT_SIGNATURE, listed_party, read_statement, signed_by
from harness.errors import GymboardError
from harness.revoked import fingerprint
from scoring.facts.evidence import MAX_SIGNATURE_BYTES, read_plain
from scoring.ledger import LedgerLine
from scoring.revocation import Revocations, revocations


class Reproduction(NamedTuple):
    """The entry that was reproduced, and the second party's own."""

    entry: str
    bundle_sha256: str
    by_entry: str
    by_bundle_sha256: str


def reproductions(submissions: Path, ledger: Sequence[LedgerLine]) -> list[Reproduction]:
    """In the ledger's order. Raises VerificationError when the list of revoked keys cannot be read."""
    lost = revocations(ledger, submissions)
    return [found for line in ledger if line.reproduced_by for found in _standing(submissions, line, lost)]


def _standing(submissions: Path, line: LedgerLine, lost: Revocations) -> Iterator[Reproduction]:
    by = line.reproduced_by
    if by is None or line.entry is None or line.bundle_sha256 is None:
        return
    own = submissions / by.entry
    try:
        statement, data = read_statement(own)
        if hashlib.sha256(data).hexdigest() != by.statement_sha256:
            return
        signature = read_plain(str(own / STATEMENT_SIGNATURE), MAX_SIGNATURE_BYTES)
        signed = signed_by(statement, data, signature, listed_party(statement, submissions), None)
    except (GymboardError, OSError):  # it does not stand: the level falls back to what other evidence supports
        return
    revoked = lost.get(fingerprint(signed.public_key))
    if revoked is None or line.time < revoked.since:
        yield Reproduction(line.entry, line.bundle_sha256, by.entry, by.bundle_sha256)
