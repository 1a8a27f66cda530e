"""Inclusion: a maintainer lets an entry in, by one line of the ledger.

Takes a folder of submissions and an entry's name, appends the line. Grants no level: a run still needs our regrade.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import UsageError
from harness.signing import BUNDLE, SIGNATURE
from harness.sshsig_verify import verify_own_key
from scoring.facts.check import check_bundle
from scoring.facts.evidence import MAX_BUNDLE_BYTES, MAX_SIGNATURE_BYTES, read_plain
from scoring.ledger import LEDGER, LedgerLine, append_line


def include_entry(submissions: Path, entry: str, reason: str) -> LedgerLine:
    """Freeze the bundle's digest and, for a run, the key of its signature. Whether that key is the submitter's is for
    the caller to have checked (`gymboard verify`). The bundle is read strictly here and, by its digest, never again.
    Raises UsageError, GymboardError with every fault of the bundle, VerificationError."""
    file = submissions / entry / BUNDLE
    if not file.is_file():
        raise UsageError(f"no {file}; name the folder of an entry")
    data = read_plain(str(file), MAX_BUNDLE_BYTES)
    bundle = check_bundle(data, entry)
    content = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kind": "inclusion",
        "entry": bundle.entry.id,
        "bundle_sha256": hashlib.sha256(data).hexdigest(),
        "reason": reason,
    }
    if bundle.origin == "run":
        signature = file.with_name(SIGNATURE)
        if not signature.is_file():
            raise UsageError(f"{entry} is a run without a signature; only a signed run can be included")
        armoured = read_plain(str(signature), MAX_SIGNATURE_BYTES)
        content["key_fingerprint"] = verify_own_key(data, armoured, bundle.submitter)
    return append_line(submissions / LEDGER, content)
