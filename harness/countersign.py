"""Counter-signatures: a listed second party says, over both bundles' digests, that its own run repeats another's.

Takes the second party's entry among the board's entries, gives the statement, or every reason why it does not count,
each with its rule's code. A namespace of its own: no other signature of the same key can be taken for one. Never
compares scores: those are measured by the board's own job and compared by scoring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from harness.archive import open_regular
from harness.clock import now
from harness.errors import GymboardError, UsageError, VerificationError
from harness.files import replace_file
from harness.revoked import REVOKED
from harness.schema.bundle import Bundle
from harness.schema.countersign import Countersignature, Named, OwnRegrade, Parties, Party
from harness.schema.regrade import RegradeReport
from harness.signing import BUNDLE, SIGNATURE, Signature, Signers, sign_bytes, verify_signature
from harness.sshsig import public_key

NAMESPACE = "gymboard-countersign@v1"
STATEMENT = "countersign.json"
STATEMENT_SIGNATURE = "countersign.json.sig"
PARTIES = "parties.toml"
MAX_BYTES = 16 << 20

Refusal = tuple[str, str]
"""(code of the rule, what was found)."""


@dataclass(frozen=True)
class Entry:
    """An entry's folder, its bundle and its digest, and the key that its signature names ("" without a signature)."""

    folder: Path
    bundle: Bundle
    sha256: str
    key: str

    @property
    def named(self) -> Named:
        return Named(entry=self.bundle.entry.id, bundle_sha256=self.sha256)


def read_entry(folder: Path) -> Entry:
    """Raises UsageError when there is none, SchemaError."""
    data = _read(folder / BUNDLE)
    signature = folder / SIGNATURE
    key = public_key(_read(signature)) if signature.is_file() else ""
    return Entry(folder, Bundle.from_json(data, subject=BUNDLE), hashlib.sha256(data).hexdigest(), key)


def read_parties(submissions: Path) -> Parties:
    """Who is listed; nobody without a list. Raises UsageError, SchemaError."""
    file = submissions / PARTIES
    if not file.exists() and not file.is_symlink():
        return Parties(schema_version=1)
    return Parties.from_toml(_read(file).decode("utf-8", "replace"), subject=PARTIES)


def read_statement(folder: Path) -> tuple[Countersignature, bytes]:
    """The statement and its bytes. Raises UsageError, SchemaError; VerificationError unless it is canonical."""
    data = _read(folder / STATEMENT)
    statement = Countersignature.from_json(data, subject=STATEMENT)
    if statement.canonical() != data:
        raise VerificationError("counter-signature", f"{STATEMENT} is not in canonical form")
    return statement, data


def countersign(original: Path, own: Path, report: Path, party: str, key: Path) -> Path:
    """State and sign, in `own`, that it repeats `original`; gives the path of the signature.

    `report`: what `gymboard regrade` found in the original. Raises UsageError when the report is about something else,
    disagrees, or when the statement would be refused; SchemaError, GymboardError.
    """
    first, second = read_entry(original), read_entry(own)
    data = _read(report)
    found = RegradeReport.from_json(data, subject=report.name)
    if (found.entry, found.bundle_sha256) != (first.bundle.entry.id, first.sha256):
        raise UsageError(f"{report.name} is about {found.entry} {found.bundle_sha256}, not about {first.named}")
    if found.disagreements or not found.attempts:
        raise UsageError(f"{report.name} does not find {first.bundle.entry.id} again; see gymboard challenge")
    statement = Countersignature(
        schema_version=1,
        party=party,
        principal=second.bundle.submitter,
        original=first.named,
        own=second.named,
        regrade=OwnRegrade(
            report_sha256=hashlib.sha256(data).hexdigest(),
            harness_version=found.harness_version,
            engine=found.engine,
            attempts=len(found.attempts),
            disagreements=0,
        ),
        created=now(),
    )
    signature = sign_bytes(statement.canonical(), key, statement.principal, NAMESPACE)
    submissions = original.resolve().parent
    refused = list(_refusals(statement, statement.canonical(), signature, second, submissions))
    if refused:
        raise UsageError("; ".join(f"{code} {what}" for code, what in refused))
    replace_file(own / STATEMENT, statement.canonical())
    return replace_file(own / STATEMENT_SIGNATURE, signature)


def refusals(own: Path, submissions: Path) -> Iterator[Refusal]:
    """Every reason why the counter-signature in the folder `own` does not count; none when there is none."""
    files = [file for file in (own / STATEMENT, own / STATEMENT_SIGNATURE) if file.exists() or file.is_symlink()]
    if not files:
        return
    try:
        statement, data = read_statement(own)
        signature, second = _read(own / STATEMENT_SIGNATURE), read_entry(own)
    except GymboardError as error:
        yield "GB501", f"cannot be read: {error}"
        return
    yield from _refusals(statement, data, signature, second, submissions)


def _refusals(
    statement: Countersignature, data: bytes, signature: bytes, second: Entry, submissions: Path
) -> Iterator[Refusal]:
    if statement.own != second.named:
        yield "GB501", f"is about its party's entry {statement.own.entry}, not about exactly these bytes"
    try:
        party = listed_party(statement, submissions)
        signed_by(statement, data, signature, party, submissions / REVOKED)
    except GymboardError as error:
        yield "GB502", str(error)
        party = None
    try:
        first = read_entry(submissions / statement.original.entry)
    except GymboardError as error:
        yield "GB503", f"names an entry that cannot be read: {error}"
        return
    if first.named != statement.original:
        yield "GB503", f"names other bytes of {statement.original.entry} than there are, {first.sha256}"
    yield from (("GB504", what) for what in _not_second(first, second, party))
    yield from (("GB505", what) for what in _other_run(first.bundle, second.bundle))


def listed_party(statement: Countersignature, submissions: Path) -> Party:
    """The party that the statement names. Raises UsageError, SchemaError, VerificationError when it is not listed."""
    party = read_parties(submissions).named(statement.party)
    if party is None or party.principal != statement.principal:
        who = f"{statement.party} ({statement.principal})"
        raise VerificationError("counter-signature", f"is of {who}, who is not listed in {PARTIES}")
    return party


def signed_by(
    statement: Countersignature, data: bytes, signature: bytes, party: Party, revoked: Path | None
) -> Signature:
    """Who signed the statement. Raises VerificationError unless a key of the party did, and is not in `revoked`."""
    signers = Signers.of_keys(party.keys)
    listed = revoked if revoked and (revoked.exists() or revoked.is_symlink()) else None
    return verify_signature(data, signature, replace(signers, revoked=listed), statement.principal, NAMESPACE)


def _not_second(first: Entry, second: Entry, party: Party | None) -> Iterator[str]:
    """Whoever signs for herself is no second party, under whatever name."""
    if first.bundle.submitter == second.bundle.submitter:
        yield f"is by {second.bundle.submitter}, whose own entry {first.bundle.entry.id} is"
    if party is not None and second.bundle.submitter != party.principal:
        yield f"is by {party.principal}, but the run beside it is {second.bundle.submitter}'s"
    if first.key and (first.key == second.key or (party is not None and first.key in party.keys)):
        yield f"is by whoever holds the key that signed {first.bundle.entry.id} itself"


def _other_run(first: Bundle, second: Bundle) -> Iterator[str]:
    """The same agent on the same tasks, in a run of its own."""
    for name in ("agent", "agent_version", "model"):
        one, other = getattr(first.entry, name), getattr(second.entry, name)
        if one != other:
            yield f"is about a run of the {name} {other!r}; {first.entry.id} has {one!r}"
    if (first.origin, second.origin) != ("run", "run") or first.profile != second.profile:
        yield f"compares a {second.origin} of the profile {second.profile} with a {first.origin} of {first.profile}"
    there = {(episode.task, episode.task_version, episode.seed) for episode in second.episodes}
    lacking = sorted({e.task for e in first.episodes if (e.task, e.task_version, e.seed) not in there})
    if lacking:
        yield f"rests on a run that lacks episodes of {', '.join(lacking)}"
    if shared := {part.sha256 for part in first.payload} & {part.sha256 for part in second.payload}:
        yield f"rests on the other's own payload: {len(shared)} part(s) are the same bytes"


def _read(file: Path) -> bytes:
    with open_regular(file) as opened:
        data = opened.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file} has more than {MAX_BYTES:,} bytes")
    return data
