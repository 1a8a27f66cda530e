"""The bytes behind one entry, and what the ledger says of exactly these bytes.

Takes a folder and the ledger's lines about it, gives the bytes and one digest over everything that decides whether the
entry counts. Never follows a link, never reads a payload, never looks at what the bytes mean.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import GymboardError, Problem
from harness.signing import BUNDLE, SIGNATURE
from scoring.ledger import VERDICTS, LedgerLine

MAX_BUNDLE_BYTES = 8 * 1024**2
MAX_SIGNATURE_BYTES = 16 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Standing(NamedTuple):
    """What the ledger says of one bundle: its newest inclusion's key, its regrades' files, its removal."""

    included: bool = False
    key_fingerprint: str | None = None
    verdicts: tuple[str, ...] = ()
    removal: str | None = None


class Case(NamedTuple):
    """One folder to read. `known`: bundle digest -> standing. `name` None: unpublished, whatever it calls itself."""

    place: str
    name: str | None
    known: Mapping[str, Standing]
    private: bool


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
    digest: str = field(default="")


def standings(ledger: Sequence[LedgerLine]) -> dict[str, dict[str, Standing]]:
    """Entry -> bundle digest -> standing. A removal takes everything back until a later inclusion."""
    own: dict[str, dict[str, list[LedgerLine]]] = {}
    for line in ledger:
        own.setdefault(line.entry, {}).setdefault(line.bundle_sha256, []).append(line)
    return {entry: {sha: _standing(lines) for sha, lines in bundles.items()} for entry, bundles in own.items()}


def _standing(lines: Sequence[LedgerLine]) -> Standing:
    entered = [line for line in lines if line.kind in ("inclusion", "removal")]
    if entered and entered[-1].kind == "removal":
        return Standing(removal=f"removed on {entered[-1].time}: {entered[-1].reason}")
    keys = [line.key_fingerprint for line in lines if line.kind == "inclusion"]
    files = tuple(line.verdicts_sha256 for line in lines if line.verdicts_sha256)
    return Standing(bool(keys), keys[-1] if keys else None, files)


Read = Callable[[str, int], Any]
"""(file, cap) -> its bytes, or a view of them that holds until the next call."""


def gather(case: Case) -> Evidence:
    """Read everything. Raises GymboardError when there is no bundle to read."""
    return _gather(case, read_plain)


class Hasher:
    """Evidence digests only, of many cases in turn, read into the same memory: new pages cost more than hashing."""

    def __init__(self) -> None:
        self._memory = memoryview(bytearray(MAX_BUNDLE_BYTES + 1))

    def digest(self, case: Case) -> str | None:
        """The evidence digest; None when a file that counts is missing or odd: reading it says why."""
        try:
            found = _gather(case, self._read)
        except (GymboardError, OSError):
            return None
        return None if found.faults else found.digest

    def _read(self, file: str, cap: int) -> memoryview:
        descriptor, size = _opened(file, cap)
        try:
            return self._memory[: _filled(os.readv(descriptor, [self._memory[: size + 1]]), size, file)]
        finally:
            os.close(descriptor)


def _gather(case: Case, read: Read) -> Evidence:
    place = case.place
    if case.name is not None and not stat.S_ISDIR(os.lstat(place).st_mode):
        raise GymboardError("is not a plain folder")
    is_folder = case.name is not None or os.path.isdir(place)  # noqa: PTH112
    data = read(f"{place}/{BUNDLE}" if is_folder else place, MAX_BUNDLE_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    standing = case.known.get(sha256, Standing())
    signature = _signature(place, read) if case.name is not None else None
    signed = None if signature is None else hashlib.sha256(signature).hexdigest()
    verdicts, faults = _verdicts(os.path.dirname(place), standing.verdicts, read)  # noqa: PTH120
    parts = (case.name, sha256, signed, *standing[:2], case.private, *standing.verdicts)
    digest = hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()
    return Evidence(case, data, sha256, signature, verdicts, faults, standing, digest)


def _signature(place: str, read: Read) -> bytes | None:
    found: bytes | None = None
    with contextlib.suppress(GymboardError):  # only a run needs one, and says then what is wrong with it
        found = read(f"{place}/{SIGNATURE}", MAX_SIGNATURE_BYTES)
    return found


def _verdicts(root: str, wanted: Iterable[str], read: Read) -> tuple[tuple[bytes, ...], tuple[Problem, ...]]:
    found: list[bytes] = []
    faults: list[Problem] = []
    for sha256 in wanted:
        path = f"{VERDICTS}/{sha256}.json"
        try:
            data = read(f"{root}/{path}", MAX_BUNDLE_BYTES)
        except (GymboardError, OSError) as error:
            faults.append(Problem(path, str(error)))
            continue
        if hashlib.sha256(data).hexdigest() != sha256:
            faults.append(Problem(path, "its bytes are not the ones that the ledger names"))
        found.append(data)
    return tuple(found), tuple(faults)


def read_plain(file: str, cap: int) -> bytes:
    """A regular file's bytes. Raises GymboardError when it is something else, or larger than `cap` bytes."""
    descriptor, size = _opened(file, cap)
    try:
        data = os.read(descriptor, size + 1)
        _filled(len(data), size, file)
        return data
    finally:
        os.close(descriptor)


def _opened(file: str, cap: int) -> tuple[int, int]:
    """A descriptor of a regular file of at most `cap` bytes, and its size."""
    try:
        descriptor = os.open(file, _FLAGS)
    except OSError:
        raise GymboardError(f"{Path(file).name} is missing or not a regular file") from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= cap:
        return descriptor, status.st_size
    os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise GymboardError(f"{Path(file).name} is missing or not a regular file")
    raise GymboardError(f"{Path(file).name} has {status.st_size} bytes; at most {cap} are read")


def _filled(found: int, size: int, file: str) -> int:
    if found != size:
        raise GymboardError(f"{Path(file).name} changed while it was read")
    return size
