"""Verify: whether a bundle folder is exactly what its submitter signed.

Takes a bundle folder and the signers that count, gives the bundle with its principal and key, or a VerificationError
that names the first check that failed. Everything in the folder is hostile until then: read without following links,
streamed, capped, never unpacked to disk. Judges integrity only; whether the bundle fits the board is harness.check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.archive import open_regular
from harness.countersign import STATEMENT, STATEMENT_SIGNATURE
from harness.errors import SchemaError, UsageError, VerificationError
from harness.keyless import PROOF
from harness.payload import AttemptKey, final_attempt, part_name, scan_part
from harness.schema.base import parse_json
from harness.schema.bundle import Bundle, PayloadPart
from harness.schema.episode import Episode
from harness.signing import BUNDLE, SIGNATURE, Signature, Signers, verify_signature
from harness.sshsig import MAX_BYTES as MAX_SIGNATURE_BYTES

MAX_BUNDLE_BYTES = 16 << 20


@dataclass(frozen=True)
class Contents:
    """A bundle whose folder holds what it states. `held`: the attempts whose artifacts are in its parts."""

    bundle: Bundle
    bundle_sha256: str
    held: frozenset[AttemptKey]


@dataclass(frozen=True)
class Verified:
    """A bundle that its submitter signed. `public_key` is `<type> <base64>`, as GitHub publishes keys."""

    bundle: Bundle
    principal: str
    key_fingerprint: str
    public_key: str
    bundle_sha256: str


def verify(bundle_folder: Path, signers: Signers) -> Verified:
    """Check the signature over the exact bytes, then everything that verify_contents checks.

    Raises VerificationError whose `check` is "files", "signature", or one of verify_contents'.
    """
    data, signed = verify_signed(bundle_folder, signers)
    contents = _contents(bundle_folder, data)
    bundle = contents.bundle
    return Verified(bundle, signed.principal, signed.key_fingerprint, signed.public_key, contents.bundle_sha256)


def verify_signed(bundle_folder: Path, signers: Signers) -> tuple[bytes, Signature]:
    """The bytes of bundle.json and who signed them, whatever they say and whatever else the folder holds.

    Raises VerificationError whose `check` is "files" or "signature".
    """
    data = read_bundle(bundle_folder)
    return data, verify_signature(data, read_signature(bundle_folder), signers, _claimed_submitter(data))


def verify_contents(bundle_folder: Path) -> Contents:
    """Everything but the signature: what the folder holds is what bundle.json states.

    Raises VerificationError whose `check` is "files", "schema", "canonical form", "payload names", "payload size",
    "payload digest", "archive", "payload logs", "artifact digest" or "final artifact".
    """
    return _contents(bundle_folder, read_bundle(bundle_folder))


def read_bundle(bundle_folder: Path) -> bytes:
    """The bytes of bundle.json: a regular file, at most MAX_BUNDLE_BYTES. Raises VerificationError("files", ...)."""
    return _read(bundle_folder, BUNDLE, MAX_BUNDLE_BYTES)


def read_signature(bundle_folder: Path) -> bytes:
    """The bytes of bundle.json.sig: a regular file, at most MAX_SIGNATURE_BYTES. Raises VerificationError("files")."""
    return _read(bundle_folder, SIGNATURE, MAX_SIGNATURE_BYTES)


def _contents(folder: Path, data: bytes) -> Contents:
    try:
        bundle = Bundle.from_json(data, subject=BUNDLE)
    except SchemaError as error:
        more = f" (and {len(error.problems) - 1} more; see `gymboard check`)" if len(error.problems) > 1 else ""
        first = error.problems[0]
        raise VerificationError("schema", f"{BUNDLE}: {first.path}: {first.message}{more}") from None
    if bundle.canonical() != data:
        raise VerificationError("canonical form", f"{BUNDLE} is not the canonical bytes of its contents; pack again")
    _no_strangers(folder, bundle)
    held: set[AttemptKey] = set()
    for part in bundle.payload:
        held |= _verify_part(folder, part, _by_part(bundle).get(part.name, {}))
    if bundle.origin == "run":
        _final_artifacts_held(bundle, held)
    return Contents(bundle, hashlib.sha256(data).hexdigest(), frozenset(held))


def _claimed_submitter(data: bytes) -> str:
    """Whom the bytes name as submitter, unproven; "nobody" when they cannot be read, which no signer is."""
    try:
        tree = parse_json(data, BUNDLE)
    except SchemaError:
        return "nobody"
    claimed = tree.get("submitter") if isinstance(tree, dict) else None
    return claimed if isinstance(claimed, str) else "nobody"


def _read(folder: Path, name: str, cap: int) -> bytes:
    try:
        with open_regular(folder / name) as file:
            data = file.read(cap + 1)
    except UsageError as error:
        raise VerificationError("files", str(error)) from None
    if len(data) > cap:
        raise VerificationError("files", f"{name} is over {cap} bytes")
    return data


def _no_strangers(folder: Path, bundle: Bundle) -> None:
    known = {BUNDLE, SIGNATURE, PROOF, STATEMENT, STATEMENT_SIGNATURE, *(part.name for part in bundle.payload)}
    if strangers := sorted(repr(path.name) for path in folder.iterdir() if path.name not in known):
        raise VerificationError("files", f"the folder holds what {BUNDLE} does not name: {', '.join(strangers)[:500]}")


def _by_part(bundle: Bundle) -> Mapping[str, Mapping[str, Episode]]:
    """Part name -> the episodes of its task, by key."""
    parts: dict[str, dict[str, Episode]] = {}
    for episode in bundle.episodes:
        parts.setdefault(part_name(episode.task), {})[episode.key] = episode
    return parts


def _verify_part(folder: Path, part: PayloadPart, episodes: Mapping[str, Episode]) -> frozenset[AttemptKey]:
    """Size, digest, then what is inside. A part that lies elsewhere must have been fetched beside bundle.json."""
    if not episodes:
        raise VerificationError("payload names", f"{part.name!r} is not the part of any task in the bundle")
    file = folder / part.name
    if part.location and not file.is_symlink() and not file.exists():
        raise VerificationError("files", f"{part.name} lies at {part.location}; fetch it beside {BUNDLE} first")
    try:
        with open_regular(file) as opened:
            size = file.lstat().st_size
            if size != part.size_bytes:
                found = f"{part.name} has {size} bytes; {BUNDLE} states {part.size_bytes}"
                raise VerificationError("payload size", found)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except UsageError as error:
        raise VerificationError("files", str(error)) from None
    if digest != part.sha256:
        raise VerificationError("payload digest", f"{part.name} is {digest}; {BUNDLE} states {part.sha256}")
    return scan_part(file, episodes)


def _final_artifacts_held(bundle: Bundle, held: set[AttemptKey]) -> None:
    finals = {(e.key, last.index) for e in bundle.episodes if (last := final_attempt(e)) is not None}
    if missing := sorted(finals - held):
        names = ", ".join(f"{key} attempt {index}" for key, index in missing[:5])
        raise VerificationError("final artifact", f"no part holds the artifact handed in last: {names}")
