"""submissions/ -> bundles and rejections. The only reader of that folder.

Takes the folder, gives every bundle that holds and, for every other folder, all the reasons why not. One bad entry
never stops the others. Nothing counts that the ledger did not include, byte for byte; a run also needs an OpenSSH
signature over these bytes, by the key that the inclusion froze. Never follows a link, never reads a payload, never runs
anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import GymboardError, ProblemsError
from harness.schema.bundle import Bundle
from scoring.ledger import (
    LEDGER,
    LedgerLine,
    Level,
    RegradeVerdict,
    current_lines,
    level_of,
    read_ledger,
    removed,
    verdicts_of,
)

MAX_BUNDLE_BYTES = 8 * 1024**2
MAX_SIGNATURE_BYTES = 16 * 1024
BASELINE = "baseline"


@dataclass(frozen=True)
class Loaded:
    """One entry as it may be shown: its bundle, the digest of its bytes, what our own jobs found, and whether a person
    has looked at it and let it pass."""

    bundle: Bundle
    sha256: str
    level: Level
    verdicts: tuple[RegradeVerdict, ...] = ()
    reviewed: bool = False


@dataclass(frozen=True)
class Submissions:
    """Everything under submissions/, in order of folder names."""

    entries: tuple[Loaded, ...]
    rejections: tuple[tuple[str, tuple[str, ...]], ...]
    ledger: tuple[LedgerLine, ...]
    sha256: str


def load_submissions(folder: Path) -> Submissions:
    """Read the folder. Raises VerificationError only when the ledger's chain is broken: then no level holds."""
    ledger = read_ledger(folder / LEDGER)
    entries: list[Loaded] = []
    rejections: list[tuple[str, tuple[str, ...]]] = []
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        if place.name.startswith(".") or (place.is_file() and not place.is_symlink()):
            continue
        try:
            entries.append(_entry(place, ledger, private=not (folder / LEDGER).exists()))
        except ProblemsError as error:
            rejections.append((place.name, tuple(map(str, error.problems))))
        except (GymboardError, OSError) as error:
            rejections.append((place.name, (str(error),)))
    return Submissions(tuple(entries), tuple(rejections), ledger, _digest(entries, ledger))


def load_unpublished(place: Path) -> Loaded:
    """A run that nobody has included yet, for a private preview: a bundle folder or the bundle.json itself.

    No signature is asked for, and no level but "signed" is given. Raises SchemaError, GymboardError.
    """
    data = _read(place / "bundle.json" if place.is_dir() else place, MAX_BUNDLE_BYTES)
    return Loaded(Bundle.from_json(data, subject=str(place)), hashlib.sha256(data).hexdigest(), "signed")


def _entry(place: Path, ledger: Sequence[LedgerLine], *, private: bool) -> Loaded:
    """`private`: a folder without a ledger is nobody's board, so imports may be looked at without a decision."""
    if place.is_symlink() or not place.is_dir():
        raise GymboardError("is not a plain folder")
    data = _read(place / "bundle.json", MAX_BUNDLE_BYTES)
    bundle = Bundle.from_json(data, subject=place.name)
    sha256 = hashlib.sha256(data).hexdigest()
    if bundle.entry.id != place.name:
        raise GymboardError(f"the entry calls itself {bundle.entry.id!r} but lies in {place.name!r}; rename the folder")
    if bundle.entry.id == BASELINE:
        raise GymboardError(f"the name {BASELINE!r} is the baseline's own; choose another")
    if bundle.canonical() != data:
        raise GymboardError("bundle.json is not in canonical form; write it with `gymboard pack`")
    if line := removed(ledger, bundle.entry.id, sha256):
        raise GymboardError(f"removed on {line.time}: {line.reason}")
    if bundle.origin == "import" and bundle.submitter != "gymboard":
        raise GymboardError(f"an import is Gymboard's own; its submitter cannot be {bundle.submitter}")
    if bundle.origin == "run":
        _signed(place, bundle, data, _inclusion(bundle, sha256, ledger))
    elif not private:
        _inclusion(bundle, sha256, ledger)
    reviewed = any(line.kind == "review" for line in current_lines(ledger, bundle.entry.id, sha256))
    return Loaded(bundle, sha256, level_of(ledger, bundle, sha256), verdicts_of(ledger, bundle, sha256), reviewed)


def _inclusion(bundle: Bundle, sha256: str, ledger: Sequence[LedgerLine]) -> LedgerLine:
    """The newest line that let exactly these bytes in. Raises GymboardError when there is none."""
    wanted = ("inclusion", bundle.entry.id, sha256)
    included = [line for line in ledger if (line.kind, line.entry, line.bundle_sha256) == wanted]
    if not included:
        raise GymboardError("the ledger has no inclusion of exactly these bytes (gymboard ledger include)")
    return included[-1]


def _signed(place: Path, bundle: Bundle, data: bytes, inclusion: LedgerLine) -> None:
    """The signature holds, and the key is the one that was frozen at inclusion. Raises GymboardError otherwise."""
    from harness.signing import SIGNATURE, Signers, verify_signature
    from harness.sshsig import public_key

    armoured = _read(place / SIGNATURE, MAX_SIGNATURE_BYTES)
    found = verify_signature(data, armoured, Signers.of_keys([public_key(armoured)]), bundle.submitter)
    if found.key_fingerprint != inclusion.key_fingerprint:
        raise GymboardError(f"signed by {found.key_fingerprint}, but included with the key {inclusion.key_fingerprint}")


def _read(file: Path, cap: int) -> bytes:
    if file.is_symlink() or not file.is_file():
        raise GymboardError(f"{file.name} is missing or not a regular file")
    if (size := file.stat().st_size) > cap:
        raise GymboardError(f"{file.name} has {size} bytes; at most {cap} are read")
    return file.read_bytes()


def _digest(entries: Sequence[Loaded], ledger: Sequence[LedgerLine]) -> str:
    parts = [f"{entry.bundle.entry.id} {entry.sha256}\n" for entry in entries]
    return hashlib.sha256("".join([*parts, ledger[-1].sha256 if ledger else ""]).encode()).hexdigest()
