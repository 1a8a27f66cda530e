"""Inclusion: a maintainer lets an entry in, and writes down what our own regrade of it found, by lines of the ledger.

Takes a folder of submissions and an entry's name, appends the line. Grants no level: that follows from the verdicts.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.clock import now
from harness.errors import UsageError, VerificationError
from harness.revoked import REVOKED, fingerprint, read_revoked
from harness.schema.regrade import RegradeReport
from harness.signing import BUNDLE, NAMESPACE, SIGNATURE
from harness.sshsig import public_key
from harness.sshsig_verify import verify_own_key
from scoring.facts.check import check_bundle
from scoring.facts.evidence import MAX_BUNDLE_BYTES, MAX_SIGNATURE_BYTES, Standing, read_plain, standings
from scoring.ledger import (
    LEDGER,
    Kind,
    LedgerLine,
    Level,
    RegradeVerdict,
    append_line,
    append_regrade,
    read_ledger,
)


def include_entry(submissions: Path, entry: str, reason: str) -> LedgerLine:
    """Freeze the bundle's digest and, for a run, the signature, its key and whose that is. Whether the key is the
    submitter's is for the caller to have checked (`gymboard verify`); a revoked key is refused here too. The bundle is
    read strictly here and, by its digest, never again.
    Raises UsageError, GymboardError with every fault of the bundle, VerificationError."""
    file = submissions / entry / BUNDLE
    if not file.is_file():
        raise UsageError(f"no {file}; name the folder of an entry")
    data = read_plain(str(file), MAX_BUNDLE_BYTES)
    bundle = check_bundle(data, entry)
    content = {
        "time": now(),
        "kind": "inclusion",
        "entry": bundle.entry.id,
        "bundle_sha256": hashlib.sha256(data).hexdigest(),
        "reason": reason,
    }
    if bundle.origin == "run":
        signature = file.with_name(SIGNATURE)
        if not signature.is_file():
            raise UsageError(f"{entry} is a run without a signature; only a signed run can be included")
        content |= _signed(data, read_plain(str(signature), MAX_SIGNATURE_BYTES), bundle.submitter, submissions)
    return append_line(submissions / LEDGER, content)


def _signed(data: bytes, armoured: bytes, submitter: str, submissions: Path) -> dict[str, str]:
    """What the ledger freezes of a signature: later checks need nobody who still publishes the key."""
    key = public_key(armoured)
    if key in read_revoked(submissions / REVOKED):
        raise VerificationError("revoked", f"the key {fingerprint(key)} of {submitter} was revoked; sign with another")
    return {
        "key_fingerprint": verify_own_key(data, armoured, submitter),
        "public_key": key,
        "principal": submitter,
        "signature_sha256": hashlib.sha256(armoured).hexdigest(),
    }


def frozen_signer(submissions: Path, entry: str) -> str:
    """The allowed-signers line of these bytes' newest inclusion: whose key it was when they came in, whatever its
    account lists today. Raises UsageError when the ledger froze none."""
    file = submissions / entry / BUNDLE
    if not file.is_file():
        raise UsageError(f"no {file}; name the folder of an entry")
    here = (entry, hashlib.sha256(read_plain(str(file), MAX_BUNDLE_BYTES)).hexdigest())
    lines = [line for line in read_ledger(submissions / LEDGER) if (line.entry, line.bundle_sha256) == here]
    newest = next((line for line in reversed(lines) if line.kind == "inclusion"), None)
    if newest is None or newest.key_fingerprint is None:
        raise UsageError(f"the ledger froze no key for these bytes of {entry!r}; gymboard ledger show says more")
    principal, key = newest.principal, newest.public_key
    if principal is None or key is None:
        principal, key = _of_before(submissions / entry, newest)
    return f'{principal} namespaces="{NAMESPACE}" {key}'


def _of_before(folder: Path, line: LedgerLine) -> tuple[str, str]:
    """Principal and key for an inclusion that froze only digests: from the files that these digests name."""
    data = read_plain(str(folder / BUNDLE), MAX_BUNDLE_BYTES)
    key = public_key(read_plain(str(folder / SIGNATURE), MAX_SIGNATURE_BYTES))
    if fingerprint(key) != line.key_fingerprint:
        raise UsageError(f"{folder.name} is not what line {line.sequence} of the ledger included")
    return check_bundle(data, folder.name).submitter, key


def record_regrade(submissions: Path, entry: str, report: Path, reason: str) -> LedgerLine:
    """Write what `gymboard regrade` found in the report beside the entry: the values that the board shows from now on.

    Raises UsageError when the report is about other bytes, when these bytes are not included, or when the report does
    not support the level regraded: a local grade, a claim that was not found again, something that was not graded.
    """
    found = RegradeReport.from_json(read_plain(str(report), MAX_BUNDLE_BYTES), subject=report.name)
    sha256, _ = included(submissions, entry, found.entry, found.bundle_sha256)
    if found.supports != "regraded":
        why = [one.sentence for one in found.disagreements] + list(found.obstacles) or [f"graded in {found.engine}"]
        raise UsageError(f"{report.name} does not support the level regraded: {why[0]}")
    verdicts = [
        RegradeVerdict(
            artifact_sha256=one.artifact_sha256,
            attempt=one.attempt,
            seed=one.seed,
            task=one.task,
            verdict=one.measured,
        )
        for one in found.attempts
    ]
    about = {"entry": entry, "bundle_sha256": sha256, "time": now(), "reason": reason}
    return append_regrade(submissions, about, verdicts)


def included(submissions: Path, entry: str, about: str, about_sha256: str) -> tuple[str, Standing]:
    """The digest of the entry's bytes, and what the ledger says of them. Raises UsageError unless they are included and
    the ones that a report is about."""
    sha256 = hashlib.sha256(read_plain(str(submissions / entry / BUNDLE), MAX_BUNDLE_BYTES)).hexdigest()
    if (about, about_sha256) != (entry, sha256):
        raise UsageError(f"the report is about {about} {about_sha256}, not about {entry} {sha256}")
    standing = standings(read_ledger(submissions / LEDGER), submissions).get(entry, {}).get(sha256)
    if standing is None or not standing.included:
        raise UsageError(f"the ledger does not include these bytes of {entry}; gymboard ledger include comes first")
    return sha256, standing


def decide(
    submissions: Path, entry: str, kind: Kind, reason: str, *, level: Level | None = None, evidence: str | None = None
) -> LedgerLine:
    """A downgrade (to `level`) or a removal of the included bytes that lie there; of the last ones, when none do.

    `evidence`: the https address of what shows it. Raises UsageError when nothing of that name is included.
    """
    known = standings(read_ledger(submissions / LEDGER), submissions).get(entry, {})
    included = [sha256 for sha256, standing in known.items() if standing.included]
    if not included:
        raise UsageError(f"the ledger includes no entry {entry!r}; gymboard ledger show lists what it says")
    file = submissions / entry / BUNDLE
    here = hashlib.sha256(read_plain(str(file), MAX_BUNDLE_BYTES)).hexdigest() if file.is_file() else included[-1]
    if here not in included:
        raise UsageError(f"the ledger does not include these bytes of {entry}; gymboard ledger show lists what it says")
    about = {"entry": entry, "bundle_sha256": here, "time": now(), "reason": reason, "kind": kind}
    more = {"level": level, "evidence": evidence}
    return append_line(submissions / LEDGER, {**about, **{name: value for name, value in more.items() if value}})
