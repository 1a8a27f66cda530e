"""submissions/ -> Facts. The only reader of that folder.

Takes the folder, gives a database of everything that counts and, for every other folder, all the reasons why not.
What bytes mean is looked up in the cache by their digest; a file whose inode, size and times are those of when it was
hashed is not hashed again. One bad entry never stops the others; a broken ledger stops everything.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from harness.errors import GymboardError
from harness.home import home
from scoring.facts.database import Member, open_database
from scoring.facts.evidence import Case, Hasher, Outcome, standings
from scoring.facts.hashes import Hashes
from scoring.facts.store import Store
from scoring.garbage import without_gc
from scoring.ledger import LEDGER, VERDICTS, LedgerLine, read_ledger
from scoring.reproduced import Reproduction, reproductions

HASHING_THREADS = 2


@dataclass(frozen=True)
class Facts:
    """Everything under submissions/. `db` has entries, episodes, attempts, baselines, notes and ledger.

    `rejections`: (folder, reasons), sorted. `sha256`: over all that the published entries and the ledger say.
    `evidence`: a digest by published entry, over its bundle, its signature and what the ledger says of them. The
    database reads files of the cache until it is closed.
    """

    db: duckdb.DuckDBPyConnection
    rejections: tuple[tuple[str, tuple[str, ...]], ...]
    ledger: tuple[LedgerLine, ...]
    sha256: str
    evidence: Mapping[str, str]
    _store: Store = field(repr=False)

    def bundles(self) -> dict[str, str]:
        """Digest of each published entry's bundle.json, by entry."""
        return dict(self.db.execute("SELECT entry, bundle_sha256 FROM entries WHERE NOT preview").fetchall())

    def close(self) -> None:
        """Close the database and let go of the cache."""
        self.db.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def default_cache() -> Path | None:
    """Where facts are kept between calls."""
    try:
        return home() / "scoring"
    except RuntimeError:  # a user without a home: nothing is kept
        return None


def read_facts(folder: Path, *, unpublished: Sequence[Path] = (), cache: Path | None = None) -> Facts:
    """Read the folder; `unpublished` are bundle folders or bundle.json files for a private preview.

    Without `cache` nothing is kept. Raises VerificationError when the ledger's chain is broken or the list of revoked
    keys cannot be read, GymboardError when an unpublished bundle does not hold.
    """
    with without_gc(), ThreadPoolExecutor(1) as beside:
        opening = beside.submit(Store, cache)  # mostly digests of large files, for which no interpreter is needed
        ledger = read_ledger(folder / LEDGER)
        cases, rejected = _cases(folder, ledger)
    store = opening.result()
    published = len(cases)
    cases += [Case(str(place), None, {}, private=False) for place in unpublished]
    hashes = Hashes(cache and cache / f"hashes-{_place(folder)}.json")
    outcomes = _outcomes(cases, store, hashes)
    hashes.save()
    for case, outcome in zip(cases, outcomes, strict=True):
        if outcome.evidence is None and case.name is None:
            raise GymboardError("\n".join([f"{case.place}: cannot be previewed", *outcome.reasons]))
        if outcome.evidence is None:
            rejected.append((str(case.name), outcome.reasons))
    found = [(number, outcome.evidence) for number, outcome in enumerate(outcomes) if outcome.evidence]
    store.tidy({evidence for _, evidence in found})
    members = _members(found, published, store)
    pairs = reproductions(folder, ledger)
    sha256 = _digest([evidence for number, evidence in found if number < published], ledger, pairs)
    named = sorted((_shown(name), reasons) for name, reasons in rejected)
    own = {str(cases[number].name): evidence for number, evidence in found if number < published}
    return Facts(open_database(members, ledger, pairs), tuple(named), ledger, sha256, own, store)


def _shown(name: str) -> str:
    """A folder's name as text that can be written: a file system takes bytes that are no UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _place(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]


def _cases(folder: Path, ledger: Sequence[LedgerLine]) -> tuple[list[Case], list[tuple[str, tuple[str, ...]]]]:
    """Every folder that may be an entry, in order of names, and what cannot be one."""
    private = not (folder / LEDGER).exists()
    known = standings(ledger, folder)
    cases: list[Case] = []
    rejected: list[tuple[str, tuple[str, ...]]] = []
    if not folder.is_dir():
        return cases, rejected
    with os.scandir(folder) as places:
        for place in sorted(places, key=lambda place: place.name):
            if place.name.startswith(".") or place.is_file(follow_symlinks=False):
                continue
            if place.name == VERDICTS and place.is_dir(follow_symlinks=False):
                continue
            if not place.is_dir(follow_symlinks=False):
                rejected.append((place.name, ("is not a plain folder",)))
                continue
            cases.append(Case(place.path, place.name, known.get(place.name, {}), private))
    return cases, rejected


def _outcomes(cases: Sequence[Case], store: Store, hashes: Hashes) -> list[Outcome]:
    """What is known of every case: from the cache by the digest of its bytes, else by reading it."""
    digests = [None] * len(cases) if store.empty else _digests(cases, hashes)
    outcomes = [Outcome(digest if digest and store.find(digest) else None) for digest in digests]
    missing = [number for number, outcome in enumerate(outcomes) if outcome.evidence is None]
    if missing:
        for number, outcome in zip(missing, store.fill([cases[number] for number in missing]), strict=True):
            outcomes[number] = outcome
            hashes.add(outcome.files or {})
    return outcomes


def _digests(cases: Sequence[Case], hashes: Hashes) -> list[str | None]:
    """Digest of each case's evidence, by threads: reading and hashing happen outside the interpreter's lock.

    Not where files are remembered: threads that only look at files wait for the lock longer than they work.
    """
    count = 1 if hashes.remembers else HASHING_THREADS
    digests: list[str | None] = [None] * len(cases)

    def hash_share(first: int) -> None:
        hasher = Hasher(hashes)
        for number in range(first, len(cases), count):
            digests[number] = hasher.digest(cases[number])

    threads = [threading.Thread(target=hash_share, args=(first,)) for first in range(1, count)]
    for thread in threads:
        thread.start()
    hash_share(0)
    for thread in threads:
        thread.join()
    return digests


def _members(found: Sequence[tuple[int, str]], published: int, store: Store) -> list[Member]:
    """Numbered in order of (entry, preview, place in the call)."""
    placed = []
    for number, evidence in found:
        segment = store.find(evidence)
        if segment is None:
            raise GymboardError("the cache of facts changed while it was read; try again")
        local, entry = segment.index[evidence]
        placed.append((entry, number >= published, number, segment, local))
    placed.sort(key=lambda place: place[:3])
    return [Member(no, segment, local, preview) for no, (_, preview, _, segment, local) in enumerate(placed)]


def _digest(evidence: Sequence[str], ledger: Sequence[LedgerLine], pairs: Sequence[Reproduction]) -> str:
    said = [*evidence, ledger[-1].sha256 if ledger else "", *(part for pair in pairs for part in pair)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
