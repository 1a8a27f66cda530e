"""An entry's bytes -> its bundle and our own verdicts, or every reason why it does not count.

Takes evidence, gives records. Nothing counts that the ledger did not include, byte for byte; a run also needs a
signature over these bytes, by the key that the inclusion froze. Bytes that were included were read strictly then, so
they are read quickly now. Never writes, never runs anything but, rarely, ssh-keygen.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from pydantic import ValidationError

from harness.errors import GymboardError, Problem, SchemaError, VerificationError
from harness.schema.bundle import SUITE_VERSION, Bundle
from harness.schema.plain import Tree, plain
from harness.signing import SIGNATURE
from scoring.facts.evidence import MAX_BUNDLE_BYTES, MAX_SIGNATURE_BYTES, Evidence, read_plain
from scoring.ledger import VERDICTS, RegradeVerdict, Verdicts

BASELINE = "baseline"


def check_bundle(data: bytes, name: str) -> Bundle:
    """Read strictly, as at inclusion: schema, canonical form, the folder's name. Raises SchemaError, GymboardError."""
    bundle = Bundle.from_json(data, subject=name)
    if bundle.entry.id != name:
        raise GymboardError(f"the entry calls itself {bundle.entry.id!r} but lies in {name!r}; rename the folder")
    _check_name(name)
    if bundle.canonical() != data:
        raise GymboardError("bundle.json is not in canonical form; write it with `gymboard pack`")
    check_suite(bundle.suite_version)
    return bundle


def _check_name(name: str) -> None:
    if name == BASELINE:
        raise GymboardError(f"the name {BASELINE!r} is the baseline's own; choose another")


def check_suite(suite_version: str) -> None:
    """A suite that this board knows. Raises SchemaError."""
    if suite_version.split(".")[0] != SUITE_VERSION.split(".")[0]:
        message = f"{suite_version} is another suite than {SUITE_VERSION}: its figures cannot be compared"
        raise SchemaError("bundle.json", [Problem("suite_version", message)])


def check_evidence(evidence: Evidence) -> tuple[Tree, tuple[RegradeVerdict, ...]]:
    """The bundle as plain data and every verdict in the ledger's order. Raises ProblemsError, GymboardError."""
    case, standing = evidence.case, evidence.standing
    if case.name is None:
        own = Bundle.from_json(evidence.bundle, subject=case.place)
        _check_name(own.entry.id)
        check_suite(own.suite_version)
        return own.model_dump(mode="json", exclude_none=True), ()
    bundle = _bundle(evidence, case.name)
    if standing.removal:
        raise GymboardError(standing.removal)
    if bundle["origin"] == "import" and bundle["submitter"] != "gymboard":
        raise GymboardError(f"an import is Gymboard's own; its submitter cannot be {bundle['submitter']}")
    if not standing.included and not (case.private and bundle["origin"] == "import"):
        raise GymboardError("the ledger has no inclusion of exactly these bytes (gymboard ledger include)")
    if bundle["origin"] == "run":
        _check_signature(evidence, bundle["submitter"])
    if evidence.faults:
        raise SchemaError(case.name, evidence.faults)
    pairs = zip(standing.verdicts, evidence.verdicts, strict=True)
    return bundle, tuple(found for sha256, data in pairs for found in _verdicts(evidence, sha256, data))


def read_verdicts(submissions: Path, sha256: str) -> Verdicts:
    """The file of verdicts with this digest. Raises GymboardError when it is missing, odd, or holds other bytes."""
    path = f"{VERDICTS}/{sha256}.json"
    data = read_plain(str(submissions / path), MAX_BUNDLE_BYTES)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise VerificationError("ledger", f"{path} is not what the ledger names")
    return Verdicts.from_json(data, subject=path)


def _bundle(evidence: Evidence, name: str) -> Tree:
    """Quickly where the ledger includes these bytes; the strict reading knows all reasons."""
    if evidence.standing.included:
        with contextlib.suppress(ValidationError):
            tree = plain(Bundle).validate_json(evidence.bundle)
            keys = {(episode["task"], episode["seed"]) for episode in tree["episodes"]}
            if tree["entry"]["id"] == name != BASELINE and len(keys) == len(tree["episodes"]):
                check_suite(tree["suite_version"])
                return tree
    return check_bundle(evidence.bundle, name).model_dump(mode="json", exclude_none=True)


def _check_signature(evidence: Evidence, submitter: str) -> None:
    from harness.sshsig_verify import verify_own_key

    armoured = evidence.signature
    if armoured is None:
        armoured = read_plain(f"{evidence.case.place}/{SIGNATURE}", MAX_SIGNATURE_BYTES)
    found = verify_own_key(evidence.bundle, armoured, submitter)
    frozen = evidence.standing.key_fingerprint
    if found != frozen:
        raise GymboardError(f"signed by {found}, but included with the key {frozen}")
    signature = evidence.standing.signature_sha256
    if signature is not None and hashlib.sha256(armoured).hexdigest() != signature:
        raise GymboardError(f"signed again since it was included with the signature {signature}; include it anew")


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
