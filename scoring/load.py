"""One entry's bundle as a record, for the pages that show it. Takes a folder, gives bundles when they are asked for.

Reads nothing ahead and keeps nothing: a board of thousands is shown from its facts. Never decides whether it counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import GymboardError
from harness.schema.bundle import Bundle
from harness.signing import BUNDLE
from scoring.facts.evidence import MAX_BUNDLE_BYTES, read_plain


@dataclass(frozen=True)
class Loaded:
    """A bundle and the digest of its bytes."""

    bundle: Bundle
    sha256: str


@dataclass(frozen=True)
class Bundles(Mapping[str, Loaded]):
    """Entry -> its bundle, of the bytes whose digests `known` names: the entries relation of Facts has them.

    `places`: unpublished bundles, a folder or a bundle.json each. Raises KeyError for an unknown entry,
    GymboardError when the bytes are not the known ones any more.
    """

    folder: Path
    known: Mapping[str, str]
    places: Mapping[str, Path] = field(default_factory=dict)

    def __getitem__(self, entry: str) -> Loaded:
        return load_bundle(self.places.get(entry, self.folder / entry), self.known[entry])

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


def load_bundle(place: Path, sha256: str | None = None) -> Loaded:
    """A bundle folder, or the bundle.json itself; exactly the bytes of `sha256`, when it is given.

    Raises SchemaError, GymboardError.
    """
    data = read_plain(str(place / BUNDLE if place.is_dir() else place), MAX_BUNDLE_BYTES)
    found = hashlib.sha256(data).hexdigest()
    if sha256 not in (None, found):
        raise GymboardError(f"{place} changed while it was read: it was {sha256}, it is {found}")
    return Loaded(Bundle.from_json(data, subject=str(place)), found)
