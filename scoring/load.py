"""One entry's bundle as a record, for the pages that show it. Takes a folder, gives bundles when they are asked for.

Reads nothing ahead and keeps nothing: rankings rest on scoring.facts. Never decides whether a bundle counts.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from harness.errors import GymboardError
from harness.schema.bundle import Bundle
from harness.signing import BUNDLE, SIGNATURE
from harness.sshsig import public_key
from scoring.brief import brief
from scoring.facts.evidence import MAX_BUNDLE_BYTES, MAX_SIGNATURE_BYTES, read_plain


@dataclass(frozen=True)
class Loaded:
    """A bundle and the digest of its bytes. `public_key`, `<type> <base64>`: which key the signature beside it names;
    whether it holds, and whose key it is, was decided where the bundle was found to count."""

    bundle: Bundle
    sha256: str
    public_key: str | None = None


class Bundles(Mapping[str, Loaded]):
    """Page name -> the bundle that the page is about, read at every look: an entry's id, or `<id>.preview` for the
    `unpublished` bundle folder or bundle.json. KeyError where no bundle lies, SchemaError where something else does.
    `known`: digests by page, over at least bundle and signature, of files that were found to be what they were;
    `counts`: of the bundles that were found to count. Of exactly their bytes no more is read than scoring.brief has."""

    def __init__(
        self,
        folder: Path,
        unpublished: Path | None = None,
        known: Mapping[str, str] = MappingProxyType({}),
        counts: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder, self.counts, self._known = folder, counts, known
        own = load_bundle(unpublished) if unpublished else None
        self._own = {f"{own.bundle.entry.id}.preview": own} if own else {}

    def __getitem__(self, page: str) -> Loaded:
        if own := self._own.get(page):
            return own
        if page not in self:
            raise KeyError(page)
        return _loaded(self.folder / page, partial(_again, counts=self.counts.get(page)))

    def digest(self, page: str) -> str | None:
        """Of everything that `self[page]` depends on, without looking at what it means; None: no bundle lies there, or
        it is the unpublished one."""
        if page in self._own or page not in self:
            return None
        if page in self._known:
            return self._known[page]
        found = hashlib.sha256(read_plain(str(self.folder / page / BUNDLE), MAX_BUNDLE_BYTES))
        signature = self.folder / page / SIGNATURE
        found.update(read_plain(str(signature), MAX_SIGNATURE_BYTES) if signature.is_file() else b"")
        return found.hexdigest()

    def __contains__(self, page: object) -> bool:
        place = self.folder / str(page)
        is_plain = place.name == page and not place.is_symlink()
        return page in self._own or (is_plain and (place / BUNDLE).is_file())

    def __iter__(self) -> Iterator[str]:
        places = self.folder.iterdir() if self.folder.is_dir() else ()
        return iter(sorted({*self._own, *(place.name for place in places if place.name in self)}))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load_bundle(place: Path) -> Loaded:
    """A bundle folder, or the bundle.json itself. Raises SchemaError, GymboardError when there is none."""
    if not place.exists():
        raise GymboardError(f"no bundle at {place}")
    return _loaded(place, lambda data, _, subject: Bundle.from_json(data, subject))


def _again(data: bytes, sha256: str, subject: str, *, counts: str | None) -> Bundle:
    """The record of bytes that were read strictly if they were found to count; of others in half that time."""
    with contextlib.suppress(ValidationError):
        return brief(data) if sha256 == counts else Bundle.model_validate_json(data)
    return Bundle.from_json(data, subject)


def _loaded(place: Path, read: Callable[[bytes, str, str], Bundle]) -> Loaded:
    data = read_plain(str(place / BUNDLE if place.is_dir() else place), MAX_BUNDLE_BYTES)
    sha256 = hashlib.sha256(data).hexdigest()
    return Loaded(read(data, sha256, str(place)), sha256, _public_key(place / SIGNATURE))


def _public_key(signature: Path) -> str | None:
    return public_key(read_plain(str(signature), MAX_SIGNATURE_BYTES)) if signature.is_file() else None
