"""Revocation: from when the signatures of a key count no more.

Takes the ledger and the list of revoked keys beside the entries, gives a date and a reason by fingerprint. Without a
line of the ledger a listed key counts for nothing, ever: a list can be committed in haste, a date needs a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import UsageError, VerificationError
from harness.files import replace_file
from harness.revoked import REVOKED, fingerprint, read_revoked
from scoring.ledger import LEDGER, LedgerLine, append_line, read_ledger


class Revoked(NamedTuple):
    """`since`: an entry that came in then or later, by the ledger's own clock, does not count. "": none counts."""

    since: str
    why: str


Revocations = Mapping[str, Revoked]
"""Fingerprint -> what holds now: the newest line of several about one key."""
_HEAD = "# Keys whose signatures count no more: ssh-keygen -Y verify -r revoked. From when: the ledger.\n"


def revocations(ledger: Sequence[LedgerLine], folder: Path) -> Revocations:
    """Raises VerificationError when the list cannot be read: then nobody knows which keys count."""
    listed = read_revoked(folder / REVOKED)
    found = {fingerprint(key): Revoked("", "is on the list of revoked keys") for key in listed}
    for line in ledger:
        if line.kind == "revocation" and line.key_fingerprint and line.compromised:
            found[line.key_fingerprint] = Revoked(line.compromised, f"was revoked on {line.time}: {line.reason}")
    return found


def revoke(submissions: Path, public_key: str, since: str, about: Mapping[str, str]) -> LedgerLine:
    """List the key, then append the line; a crash between the two leaves a key that counts for nothing.

    `about` has time, reason and perhaps evidence. Raises UsageError, SchemaError, VerificationError.
    """
    file = submissions / REVOKED
    listed = read_revoked(file)
    if not (submissions / LEDGER).is_file():
        raise UsageError(f"no {LEDGER} in {submissions}; a key is revoked where its signatures counted")
    if public_key not in listed:
        before = file.read_text(encoding="utf-8") if file.is_file() else _HEAD
        replace_file(file, f"{before.rstrip()}\n{public_key}\n".encode())
    key = {"public_key": public_key, "key_fingerprint": fingerprint(public_key)}
    return append_line(submissions / LEDGER, {**about, **key, "kind": "revocation", "compromised": since})


def check_list(submissions: Path) -> None:
    """Raise VerificationError unless the list and the ledger name the same keys."""
    listed = {fingerprint(key) for key in read_revoked(submissions / REVOKED)}
    lines = read_ledger(submissions / LEDGER)
    decided = {line.key_fingerprint for line in lines if line.kind == "revocation"}
    if odd := sorted(map(str, listed ^ decided)):
        raise VerificationError("revoked", f"{REVOKED} and the ledger do not name the same keys: {', '.join(odd)}")
