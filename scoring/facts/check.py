"""An entry's bytes -> its bundle and our own verdicts, or every reason why it does not count.

Takes evidence, gives records. Nothing counts that the ledger did not include, byte for byte; a run also needs a
signature over these bytes, by the key that the inclusion froze. Bytes that were included were read strictly then, so
they are read quickly now. Never writes, never runs anything but, rarely, ssh-keygen.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from harness.errors import GymboardError, Problem, SchemaError
from harness.schema.bundle import SUITE_VERSION, Bundle
from harness.schema.episode import Attempt, Episode
from harness.signing import SIGNATURE
from scoring.facts.columns import MEASURED, USAGE
from scoring.facts.evidence import MAX_SIGNATURE_BYTES, Evidence, read_plain
from scoring.ledger import VERDICTS, RegradeVerdict, Verdicts

BASELINE = "baseline"
MAX_INTEGER = 2**31 - 1
MAX_WHOLE = 2**53 - 1
MAX_REAL = 1e100
"""Squares and sums of such numbers are finite."""


def check_bundle(data: bytes, name: str) -> Bundle:
    """Read strictly, as at inclusion: schema, canonical form, the folder's name. Raises SchemaError, GymboardError."""
    bundle = Bundle.from_json(data, subject=name)
    if bundle.entry.id != name:
        raise GymboardError(f"the entry calls itself {bundle.entry.id!r} but lies in {name!r}; rename the folder")
    _check_name(bundle)
    if bundle.canonical() != data:
        raise GymboardError("bundle.json is not in canonical form; write it with `gymboard pack`")
    check_limits(bundle)
    return bundle


def _check_name(bundle: Bundle) -> None:
    if bundle.entry.id == BASELINE:
        raise GymboardError(f"the name {BASELINE!r} is the baseline's own; choose another")


def check_limits(bundle: Bundle) -> None:
    """What a table can hold, and a suite that this board knows. Raises SchemaError."""
    faults = []
    if bundle.suite_version.split(".")[0] != SUITE_VERSION.split(".")[0]:
        message = f"{bundle.suite_version} is another suite than {SUITE_VERSION}: its figures cannot be compared"
        faults.append(Problem("suite_version", message))
    for place, note in enumerate(bundle.audit):
        if (note.seed or 0) > MAX_INTEGER:
            faults.append(Problem(f"audit[{place}].seed", f"{note.seed:.6g} is too large"))
        if abs(note.value) > MAX_REAL:
            faults.append(Problem(f"audit[{place}].value", f"{note.value:.6g} is too large"))
    for place, episode in enumerate(bundle.episodes):
        faults += (
            Problem(f"episodes[{place}].{name}", f"{number:.6g} is too large") for name, number in _over(episode)
        )
    if faults:
        raise SchemaError("bundle.json", faults)


def _over(episode: Episode) -> Iterator[tuple[str, float]]:
    """Every number that its column, or a sum or square of it, cannot hold: INTEGER for counts of steps."""
    usage, total = episode.usage, sum(episode.actions.values())
    if max(episode.seed, episode.steps, total) > MAX_INTEGER:
        counts = {f"actions.{action}": count for action, count in episode.actions.items()}
        counts |= {"seed": episode.seed, "steps": episode.steps}
        over = {name: count for name, count in counts.items() if count > MAX_INTEGER}
        yield from (over or {"actions": total}).items()
    yield from ((f"usage.{name}", count) for name in USAGE if (count := getattr(usage, name)) > MAX_WHOLE)
    yield from ((f"usage.{name}", number) for name in MEASURED if (number := getattr(usage, name) or 0) > MAX_REAL)
    for metric, value in (episode.published_baseline or {}).items():
        if abs(value) > MAX_REAL:
            yield f"published_baseline.{metric}", value
    for attempt in episode.attempts:
        if attempt.step > MAX_INTEGER:
            yield f"attempts[{attempt.index}].step", attempt.step
        for verdict in (attempt.sealed, attempt.validation):
            if verdict is not None and verdict.n is not None and verdict.n > MAX_WHOLE:
                yield f"attempts[{attempt.index}].n", verdict.n
        yield from _beyond(attempt)


def _beyond(attempt: Attempt) -> list[tuple[str, float]]:
    found = []
    measured = [attempt.published] if attempt.published is not None else []
    for verdict in (attempt.sealed, attempt.validation):
        if verdict is not None:
            measured += (verdict.metrics, verdict.stderr)
    for values in measured:
        for metric, value in values.items():
            if not -MAX_REAL <= value <= MAX_REAL:
                found.append((f"attempts[{attempt.index}] {metric}", value))
    return found


def check_evidence(evidence: Evidence) -> tuple[Bundle, tuple[RegradeVerdict, ...]]:
    """The bundle and every verdict in the ledger's order. Raises ProblemsError, GymboardError."""
    case, standing = evidence.case, evidence.standing
    if case.name is None:
        bundle = Bundle.from_json(evidence.bundle, subject=case.place)
        _check_name(bundle)
        check_limits(bundle)
        return bundle, ()
    bundle = _bundle(evidence, case.name)
    if standing.removal:
        raise GymboardError(standing.removal)
    if bundle.origin == "import" and bundle.submitter != "gymboard":
        raise GymboardError(f"an import is Gymboard's own; its submitter cannot be {bundle.submitter}")
    if not standing.included and not (case.private and bundle.origin == "import"):
        raise GymboardError("the ledger has no inclusion of exactly these bytes (gymboard ledger include)")
    if bundle.origin == "run":
        _check_signature(evidence, bundle)
    if evidence.faults:
        raise SchemaError(case.name, evidence.faults)
    pairs = zip(standing.verdicts, evidence.verdicts, strict=True)
    return bundle, tuple(found for sha256, data in pairs for found in _verdicts(evidence, sha256, data))


def _bundle(evidence: Evidence, name: str) -> Bundle:
    """Quickly where the ledger includes these bytes; the strict reading knows all reasons."""
    if evidence.standing.included:
        try:
            bundle = Bundle.model_validate_json(evidence.bundle)
            if bundle.entry.id == name != BASELINE:
                check_limits(bundle)
                return bundle
        except ValidationError:
            pass
    return check_bundle(evidence.bundle, name)


def _check_signature(evidence: Evidence, bundle: Bundle) -> None:
    from harness.sshsig_verify import verify_own_key

    armoured = evidence.signature
    if armoured is None:
        armoured = read_plain(f"{evidence.case.place}/{SIGNATURE}", MAX_SIGNATURE_BYTES)
    found = verify_own_key(evidence.bundle, armoured, bundle.submitter)
    frozen = evidence.standing.key_fingerprint
    if found != frozen:
        raise GymboardError(f"signed by {found}, but included with the key {frozen}")


def _verdicts(evidence: Evidence, sha256: str, data: bytes) -> tuple[RegradeVerdict, ...]:
    path = f"{VERDICTS}/{sha256}.json"
    try:
        document = Verdicts.model_validate_json(data)
    except ValidationError:
        document = Verdicts.from_json(data, subject=path)
    if not _is_canonical(document, data):
        raise SchemaError(path, [Problem(path, "is not in canonical form")])
    if (document.entry, document.bundle_sha256) != (evidence.case.name, evidence.bundle_sha256):
        about = f"{document.entry} {document.bundle_sha256}"
        raise SchemaError(path, [Problem(path, f"speaks of another bundle: {about}")])
    if any((found.verdict.n or 0) > MAX_WHOLE for found in document.verdicts):
        raise SchemaError(path, [Problem(path, f"n is beyond {MAX_WHOLE}")])
    return document.verdicts


def _is_canonical(document: Verdicts, data: bytes) -> bool:
    """Its records declare their fields in order, so pydantic's own writer mostly gives the canonical bytes at once;
    it leaves the order of metrics as it was, and writes 1e-05 as 1e-5."""
    ordered = all(
        list(values) == sorted(values)
        for found in document.verdicts
        for values in (found.verdict.metrics, found.verdict.stderr)
        if len(values) > 1
    )
    written = document.model_dump_json(indent=1, exclude_none=True).encode() + b"\n" if ordered else b""
    return written == data or document.canonical() == data
