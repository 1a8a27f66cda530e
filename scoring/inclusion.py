"""Inclusion: a maintainer lets an entry in, by one line of the ledger.

Takes a folder of submissions and an entry's name, appends the line. Grants no level: a run still needs our regrade.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import UsageError
from harness.schema.bundle import Bundle
from harness.signing import SIGNATURE, Signers, verify_signature
from harness.sshsig import public_key
from scoring.ledger import LEDGER, LedgerLine, append_line


def include_entry(submissions: Path, entry: str, reason: str) -> LedgerLine:
    """Freeze the bundle's digest and, for a run, the key of its signature. Whether that key is the submitter's is for
    the caller to have checked (`gymboard verify`). Raises UsageError, SchemaError, VerificationError."""
    file = submissions / entry / "bundle.json"
    if not file.is_file():
        raise UsageError(f"no {file}; name the folder of an entry")
    data = file.read_bytes()
    bundle = Bundle.from_json(data, subject=str(file))
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
        armoured = signature.read_bytes()
        signed = verify_signature(data, armoured, Signers.of_keys([public_key(armoured)]), bundle.submitter)
        content["key_fingerprint"] = signed.key_fingerprint
    return append_line(submissions / LEDGER, content)
