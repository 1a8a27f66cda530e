"""Settle: what the job on main found becomes lines of the ledger.

Takes the submissions, a folder of reports and the submitters' keys, appends inclusion, regrade and replay, or inclusion
and downgrade, entry by entry. Runs no agent's code, believes no report about other bytes, and one entry's fault keeps
no other entry out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import GymboardError
from harness.schema.regrade import RegradeReport
from harness.signing import BUNDLE, SIGNATURE, Signers, verify_signature
from scoring.docket import waiting
from scoring.facts.check import check_bundle
from scoring.facts.evidence import MAX_BUNDLE_BYTES, MAX_SIGNATURE_BYTES, read_plain, standings
from scoring.inclusion import decide, include_entry, record_regrade
from scoring.ledger import LEDGER, read_ledger
from scoring.replays import outcomes, record_replay

REPLAYED = "Its recorded actions were executed again on main, in fresh containers, without a model and with fresh ids."


@dataclass(frozen=True)
class Settled:
    """What became of one waiting entry. `fault`: nothing more was written, and a person has to look."""

    entry: str
    sentence: str
    fault: bool = False


def settle(submissions: Path, reports: Path, signers: Signers, reason: str) -> Iterator[Settled]:
    """Every waiting entry of which `reports` has `<entry>.regrade.json`, in order of name.

    An entry without a report keeps waiting. Raises VerificationError when the ledger's chain is broken.
    """
    for entry in waiting(submissions):
        report = reports / f"{entry}.regrade.json"
        if not report.is_file():
            yield Settled(entry, "no report: it waits for the next regrade", fault=True)
            continue
        try:
            yield _settle(submissions, entry, report, signers, reason)
        except (GymboardError, OSError) as error:
            yield Settled(entry, str(error), fault=True)


def _settle(submissions: Path, entry: str, report: Path, signers: Signers, reason: str) -> Settled:
    found = RegradeReport.from_json(read_plain(str(report), MAX_BUNDLE_BYTES), subject=report.name)
    _include(submissions, entry, found, signers, reason)
    if found.supports == "regraded":
        line = record_regrade(submissions, entry, report, reason)
        return _replayed(submissions, entry, report, f"regraded by line {line.sequence}")
    if found.disagreements:
        first = found.disagreements[0]
        what = f"{len(found.disagreements)} claim(s) not found again, first {first.task}/seed-{first.seed} attempt "
        said = f"{what}{first.attempt}: {first.sentence}"[:1900]
        line = decide(submissions, entry, "downgrade", said, level="signed")
        return Settled(entry, f"stays signed by line {line.sequence}: {said}")
    return Settled(entry, f"not graded whole, it waits: {'; '.join(found.obstacles)[:500]}", fault=True)


def _replayed(submissions: Path, entry: str, report: Path, said: str) -> Settled:
    """The replay beside the regrade's report, when there is one. Without one the entry stays regraded."""
    file = report.with_name(f"{entry}.replay.json")
    if not file.is_file():
        return Settled(entry, f"{said}; no replay")
    try:
        line = record_replay(submissions, entry, file, REPLAYED)
    except (GymboardError, OSError) as error:
        return Settled(entry, f"{said}; not replayed: {error}"[:2000])
    return Settled(entry, f"{said}; replay: {outcomes(line)} by line {line.sequence}")


def _include(submissions: Path, entry: str, found: RegradeReport, signers: Signers, reason: str) -> None:
    """Let the bytes in that the report is about, when a key of their submitter signed them."""
    folder = submissions / entry
    data = read_plain(str(folder / BUNDLE), MAX_BUNDLE_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    if (found.entry, found.bundle_sha256) != (entry, sha256):
        raise GymboardError(f"the report is about {found.entry} {found.bundle_sha256}, not about {entry} {sha256}")
    standing = standings(read_ledger(submissions / LEDGER), submissions).get(entry, {}).get(sha256)
    if standing is not None and standing.included:
        return
    signature = read_plain(str(folder / SIGNATURE), MAX_SIGNATURE_BYTES)
    verify_signature(data, signature, signers, check_bundle(data, entry).submitter)
    include_entry(submissions, entry, reason)
