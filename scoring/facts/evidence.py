"""The bytes behind one entry, and what the ledger says of exactly these bytes.

Takes a folder and the ledger's lines about it, gives the bytes and one digest over everything that decides whether the
entry counts. Never follows a link, never reads a payload, never looks at what the bytes mean.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import GymboardError, Problem
from harness.signing import BUNDLE, SIGNATURE
from scoring.facts.hashes import Hashes, Known, known_file, opened
from scoring.ledger import VERDICTS, LedgerLine
from scoring.revocation import Revocations, revocations

MAX_BUNDLE_BYTES = 8 * 1024**2
MAX_SIGNATURE_BYTES = 16 * 1024


class Standing(NamedTuple):
    """What the ledger says of one bundle: its newest inclusion's key and signature, regrades' files, removal."""

    included: bool = False
    key_fingerprint: str | None = None
    verdicts: tuple[str, ...] = ()
    removal: str | None = None
    signature_sha256: str | None = None


class Case(NamedTuple):
    """One folder to read. `known`: bundle digest -> standing. `name` None: unpublished, whatever it calls itself."""

    place: str
    name: str | None
    known: Mapping[str, Standing]
    private: bool


class Outcome(NamedTuple):
    """`evidence`: it counts, and its facts lie under this digest. None: the reasons why not. `files`: what was hashed
    for it, so that the next call does not hash it again."""

    evidence: str | None
    reasons: tuple[str, ...] = ()
    files: Known | None = None


@dataclass(frozen=True)
class Evidence:
    """An entry's bytes. `faults`: files that the ledger names and that are not what it names."""

    case: Case
    bundle: bytes
    bundle_sha256: str
    signature: bytes | None
    verdicts: tuple[bytes, ...]
    faults: tuple[Problem, ...]
    standing: Standing
    files: Known
    digest: str = field(default="")


def standings(ledger: Sequence[LedgerLine], submissions: Path) -> dict[str, dict[str, Standing]]:
    """Entry -> bundle digest -> standing. A removal takes everything back until a later inclusion, and so does the
    revocation of the key, for what came in since it was lost. `submissions` holds the list of revoked keys."""
    own: dict[str, dict[str, list[LedgerLine]]] = {}
    for line in ledger:
        if line.entry and line.bundle_sha256:
            own.setdefault(line.entry, {}).setdefault(line.bundle_sha256, []).append(line)
    lost = revocations(ledger, submissions)
    return {entry: {sha: _standing(lines, lost) for sha, lines in bundles.items()} for entry, bundles in own.items()}


def _standing(lines: Sequence[LedgerLine], lost: Revocations) -> Standing:
    entered = [line for line in lines if line.kind in ("inclusion", "removal")]
    if not entered:
        return Standing(verdicts=tuple(line.verdicts_sha256 for line in lines if line.verdicts_sha256))
    newest = entered[-1]
    if newest.kind == "removal":
        return Standing(removal=f"removed on {newest.time}: {newest.reason}")
    revoked = lost.get(newest.key_fingerprint or "")
    if revoked is not None and newest.time >= revoked.since:
        return Standing(removal=f"came in on {newest.time} by the key {newest.key_fingerprint}, which {revoked.why}")
    files = tuple(line.verdicts_sha256 for line in lines if line.verdicts_sha256)
    return Standing(True, newest.key_fingerprint, files, None, newest.signature_sha256)


def gather(case: Case) -> Evidence:
    """Read everything. Raises GymboardError when there is no bundle to read."""
    files: Known = {}
    data, sha256 = _read(_bundle_of(case), MAX_BUNDLE_BYTES, files)
    standing = case.known.get(sha256, Standing())
    signature, signed = _signature(case.place, files) if case.name is not None else (None, None)
    verdicts, faults = _verdicts(os.path.dirname(case.place), standing.verdicts, files)  # noqa: PTH120
    digest = _digest(case, sha256, signed, standing)
    return Evidence(case, data, sha256, signature, verdicts, faults, standing, files, digest)


class Hasher:
    """Evidence digests only, of many cases in turn, read into the same memory: new pages cost more than hashing."""

    def __init__(self, hashes: Hashes) -> None:
        self._memory = memoryview(bytearray(MAX_BUNDLE_BYTES + 1))
        self._hashes = hashes

    def digest(self, case: Case) -> str | None:
        """The evidence digest; None when a file that counts is missing or odd: reading it says why."""
        try:
            sha256 = self._sha256(_bundle_of(case), MAX_BUNDLE_BYTES)
            standing = case.known.get(sha256, Standing())
            root = os.path.dirname(case.place)  # noqa: PTH120
            for wanted in standing.verdicts:
                if self._sha256(f"{root}/{VERDICTS}/{wanted}.json", MAX_BUNDLE_BYTES) != wanted:
                    return None
            return _digest(case, sha256, self._signed(case), standing)
        except (GymboardError, OSError):
            return None

    def _signed(self, case: Case) -> str | None:
        found: str | None = None
        if case.name is not None:
            with contextlib.suppress(GymboardError):
                found = self._sha256(f"{case.place}/{SIGNATURE}", MAX_SIGNATURE_BYTES)
        return found

    def _sha256(self, file: str, cap: int) -> str:
        return self._hashes.sha256(file, cap, self._memory)


def _bundle_of(case: Case) -> str:
    if case.name is not None and not stat.S_ISDIR(os.lstat(case.place).st_mode):
        raise GymboardError("is not a plain folder")
    is_folder = case.name is not None or os.path.isdir(case.place)  # noqa: PTH112
    return f"{case.place}/{BUNDLE}" if is_folder else case.place


def _digest(case: Case, bundle: str, signed: str | None, standing: Standing) -> str:
    frozen = (standing.included, standing.key_fingerprint, standing.signature_sha256)
    parts = (case.name, bundle, signed, *frozen, case.private, *standing.verdicts)
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()


def _signature(place: str, files: Known) -> tuple[bytes, str] | tuple[None, None]:
    try:
        return _read(f"{place}/{SIGNATURE}", MAX_SIGNATURE_BYTES, files)
    except GymboardError:  # only a run needs one, and says then what is wrong with it
        return None, None


def _verdicts(root: str, wanted: Iterable[str], files: Known) -> tuple[tuple[bytes, ...], tuple[Problem, ...]]:
    found: list[bytes] = []
    faults: list[Problem] = []
    for sha256 in wanted:
        path = f"{VERDICTS}/{sha256}.json"
        try:
            data, actual = _read(f"{root}/{path}", MAX_BUNDLE_BYTES, files)
        except (GymboardError, OSError) as error:
            faults.append(Problem(path, str(error)))
            continue
        if actual != sha256:
            faults.append(Problem(path, "its bytes are not the ones that the ledger names"))
        found.append(data)
    return tuple(found), tuple(faults)


def read_plain(file: str, cap: int) -> bytes:
    """A regular file's bytes. Raises GymboardError when it is something else, or larger than `cap` bytes."""
    return _read_whole(file, cap)[0]


def _read(file: str, cap: int, files: Known) -> tuple[bytes, str]:
    """The same with their digest, for the next call to know."""
    data, status = _read_whole(file, cap)
    sha256 = hashlib.sha256(data).hexdigest()
    files |= known_file(file, status, sha256)
    return data, sha256


def _read_whole(file: str, cap: int) -> tuple[bytes, os.stat_result]:
    descriptor, status = opened(file, cap)
    try:
        data = os.read(descriptor, status.st_size + 1)
        if len(data) != status.st_size:
            raise GymboardError(f"{Path(file).name} changed while it was read")
        return data, status
    finally:
        os.close(descriptor)
