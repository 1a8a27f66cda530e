"""Source files. Takes a Source, gives the path of a local copy whose SHA-256 and size are the declared ones.

A copy is looked for in the store, then in the mirror folder, where a system package puts it, in the user's Hugging Face
cache, on the hub and at the urls, in this order. An interrupted download goes on where it stopped, also in a later
process. Bytes that do not match are never given and never kept. A local copy may also be a declared twin (the same
content, packed again). What no one could pin is recorded when it first comes and enforced from then on.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.request import OpenerDirector

from harness.data import hub
from harness.data.download import Transfer, Unfetched, download, https_opener
from harness.data.partial import BLOCK, Content, Partial
from harness.data.records import FILE, record, recorded
from harness.errors import DataError, in_words
from harness.schema.digest import file_sha256
from harness.schema.task import Source

MIRROR_VARIABLE = "GYMBOARD_DATA_MIRROR"
OFFLINE = "not asked: offline"
Progress = Callable[[str, int, int], None]
"""File name, bytes there, bytes in all."""
log = logging.getLogger("gymboard.data")


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock file `path`, waiting for other processes and threads.

    Gives its descriptor: a child that inherits it holds the lock too. The kernel frees it when the last holder dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def obtain(
    source: Source, store: Path, mirror: Path | None, opener: OpenerDirector | None, progress: Progress | None = None
) -> Path:
    """The verified local copy. Raises DataError that lists every place that was tried and what was found there.

    `opener`: how urls are opened; None: not at all, only what this machine has counts.
    """
    final = store / source.key
    with locked(store / f"{source.key}.lock"):
        if final.is_file() and stored(source, store):
            return final
        final.unlink(missing_ok=True)
        try:
            _Search(source, store, mirror, opener, progress).fill()
        except OSError as error:
            advice = "free some space there or set GYMBOARD_HOME, and call again: what came is kept"
            raise DataError(f"{source.name}: cannot be stored in {store} ({in_words(error)}); {advice}") from error
        begun = store / f"{source.key}.partial"
        begun.chmod(0o444)
        begun.rename(final)
        begun.with_name(begun.name + ".origin").unlink(missing_ok=True)
    return final


def pins(source: Source, store: Path) -> list[Content]:
    """Every size and digest that is right: the source's own or the recorded one, and the twins'."""
    own = [Content(source.size_bytes, source.sha256)] if source.sha256 and source.size_bytes else []
    line = recorded(store, source) if source.unverified else None
    known = [Content(line.size_bytes, line.sha256)] if line else []
    return [*(own or known), *(Content(twin.size_bytes, twin.sha256) for twin in source.twins)]


def stored(source: Source, store: Path) -> bool:
    """Whether the store holds the source's right bytes; reads them all."""
    path = store / source.key
    sizes = {pin.size_bytes for pin in pins(source, store)}
    if not path.is_file() or path.stat().st_size not in sizes:
        return False
    return Content(path.stat().st_size, file_sha256(path)) in pins(source, store)


def missing_bytes(source: Source, store: Path) -> int:
    """How many bytes are still to come, as far as the size is known."""
    if (store / source.key).is_file() or source.size_bytes is None:
        return 0
    begun = store / f"{source.key}.partial"
    return max(0, source.size_bytes - (begun.stat().st_size if begun.is_file() else 0))


def need_room(folder: Path, wanted: int, what: str) -> None:
    """Raises DataError when the disk of `folder` has not so many bytes left."""
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise DataError(
            f"{what} needs {wanted:,} more bytes in {folder}, {free:,} are free; "
            "free some space or set GYMBOARD_HOME to a folder on a larger disk"
        )


@dataclass(frozen=True)
class _Search:
    """The places of one source, tried in order."""

    source: Source
    store: Path
    mirror: Path | None
    opener: OpenerDirector | None
    progress: Progress | None

    @property
    def begun(self) -> Path:
        return self.store / f"{self.source.key}.partial"

    def fill(self) -> None:
        """Leave the right bytes in the partial file, or raise DataError."""
        tried: list[str] = []
        for place, fetch in self._places():
            try:
                content = fetch()
            except Unfetched as error:
                tried.append(f"{place}: {error}")
            else:
                self._record(content, place)
                return
        raise DataError(self._unreachable(tried))

    def _places(self) -> Iterator[tuple[str, Callable[[], Content]]]:
        source = self.source
        if self.mirror is not None:
            in_mirror = self.mirror / source.mirror
            yield str(in_mirror), partial(self._copy, in_mirror)
        if source.installed is not None:
            yield source.installed, partial(self._copy, Path(source.installed))
        if source.hub is not None:
            if found := hub.cached(source.hub):
                yield str(found), partial(self._copy, found)
            yield f"{source.hub.repo} on the hub", self._from_hub
        for url in source.urls:
            yield url, partial(self._from_url, url)

    def _copy(self, found: Path) -> Content:
        """Copy a local file, hashing on the way; never over a download that has begun, unless it is right."""
        if not found.is_file():
            raise Unfetched("no such file")
        size, sizes = found.stat().st_size, {pin.size_bytes for pin in pins(self.source, self.store)}
        if sizes and size not in sizes:
            raise Unfetched(f"has {size:,} bytes, {min(sizes):,} expected")
        need_room(self.store, size, self.source.name)
        beside = Partial(self.begun.with_suffix(".copy"), str(found), mixed=False)
        beside.discard()
        try:
            beside.begin(None, size)
            with found.open("rb") as file:
                while block := file.read(BLOCK):
                    beside.write(block)
                    if self.progress:
                        self.progress(self.source.name, beside.size, size)
            beside.flush()
            if wrong := self._fault(beside.content()):
                raise Unfetched(wrong)
            beside.move(self.begun)
            return beside.content()
        finally:
            beside.discard()

    def _from_hub(self) -> Content:
        assert self.source.hub is not None
        if self.opener is None:
            raise Unfetched(OFFLINE)
        at = hub.locate(self.source.hub)
        if at.sha256 and at.size_bytes and (wrong := self._fault(Content(at.size_bytes, at.sha256))):
            raise Unfetched(wrong)
        opener = https_opener(plain_http=True) if at.url.startswith("http://") else self.opener
        said = at.sha256 if self.source.sha256 is None else None
        return self._fetch(at.url, opener, self.source.size_bytes or at.size_bytes, dict(at.headers), said)

    def _from_url(self, url: str) -> Content:
        if self.opener is None:
            raise Unfetched(OFFLINE)
        return self._fetch(url, self.opener, self.source.size_bytes, {}, None)

    def _fetch(
        self, url: str, opener: OpenerDirector, size: int | None, headers: dict[str, str], said: str | None
    ) -> Content:
        name, progress = self.source.name, self.progress
        transfer = Transfer(
            url,
            self.begun,
            size,
            opener,
            progress and (lambda done, total: progress(name, done, total)),
            pinned=bool(pins(self.source, self.store)) or said is not None,
            room=lambda wanted: need_room(self.store, wanted, name),
            headers=headers,
        )
        return download(transfer, lambda content: self._fault(content, said))

    def _fault(self, content: Content, said: str | None = None) -> str | None:
        """Why these bytes are not the source's; None when they are, or when nothing is known about it yet."""
        right = pins(self.source, self.store)
        if content in right or (not right and said in (None, content.sha256)):
            return None
        if self.source.sha256:
            cited = "cited" if self.source.unverified else "pinned"
            return f"gives other bytes than the {cited} SHA-256 {self.source.sha256}: {content.sha256}"
        if line := recorded(self.store, self.source):
            return (
                f"gives other bytes ({content.sha256}) than those recorded on {line.at} from {line.place}; if they are "
                f"right, remove that line from {self.store / FILE}"
            )
        return f"gives other bytes than the hub says: {content.sha256}, not {said}"

    def _record(self, content: Content, place: str) -> None:
        if not self.source.unverified:
            return
        with locked(self.store / f"{FILE}.lock"):
            first = record(self.store, self.source, content, place)
        if first:
            had = "its digest was cited, and holds" if self.source.sha256 else "no digest was known"
            log.warning(
                "notice: %s: nobody of the project had verified this file (%s). Recorded in %s and enforced from now "
                "on: sha256 %s, %d bytes, from %s",
                *(self.source.name, had, self.store / FILE, content.sha256, content.size_bytes, place),
            )

    def _unreachable(self, tried: list[str]) -> str:
        source, other = self.source, "another folder" if self.mirror else "a folder"
        size = f"{source.size_bytes:,} bytes" if source.size_bytes else "size unknown"
        known = "cited, not verified here" if source.sha256 else "not known"
        lines = [
            f"{source.name} ({size}, sha256 {source.sha256 or 'unknown'}) could not be had; tried",
            *(tried or ["nothing: it has no url and no mirror was given"]),
            *([f"Its digest is {known}: {source.unverified}"] if source.unverified else []),
            f"Put it under the name {source.mirror} into {other} and pass --mirror FOLDER (or set {MIRROR_VARIABLE}).",
        ]
        return "\n  ".join(lines)
