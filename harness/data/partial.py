"""A file that is still on its way. Takes pieces, gives size and SHA-256; knows after a restart where it stands.

Beside it lies a small record of its origin: url, the server's strong ETag, the whole size. Never trusts that record
for the content: what was continued is hashed from its first byte.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import IO, NamedTuple

from harness.files import replace_file

BLOCK = 1 << 20


class Content(NamedTuple):
    """What bytes are known by."""

    size_bytes: int
    sha256: str


class Partial:
    """The bytes of one file that came so far, also those of earlier processes."""

    def __init__(self, path: Path, url: str, *, mixed: bool) -> None:
        """`mixed`: bytes that another place began may be continued from `url` (the digest is known and will tell)."""
        self._path, self._url, self._mixed = path, url, mixed
        self._hash = hashlib.sha256()
        self._file: IO[bytes] | None = None
        self.size = 0
        self._etag, self.total = _read(self._origin, url)
        self._take_up()

    @property
    def _origin(self) -> Path:
        return self._path.with_name(self._path.name + ".origin")

    def _take_up(self) -> None:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            while block := file.read(BLOCK):
                self._hash.update(block)
                self.size += len(block)

    def range_headers(self) -> dict[str, str]:
        """What asks a server to go on here, and only if the file is still the one that was begun.

        Bytes whose version has no name, and that no digest will check, are discarded rather than continued.
        """
        if not (self._mixed or self._etag):
            self.discard()
        if not self.size:
            return {}
        return {"Range": f"bytes={self.size}-"} | ({"If-Range": self._etag} if self._etag else {})

    def begin(self, etag: str | None, size: int) -> None:
        """A server has begun to answer: remember which version of the file it is."""
        self._etag, self.total = (etag if etag and etag.startswith('"') else None), size
        record = {"url": self._url, "etag": self._etag, "size": size}
        replace_file(self._origin, json.dumps(record).encode())
        if self._file is None:
            self._file = self._path.open("ab")

    def write(self, piece: bytes) -> None:
        assert self._file is not None
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def flush(self) -> None:
        """What was written is on disk when this returns."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())

    def content(self) -> Content:
        return Content(self.size, self._hash.hexdigest())

    def move(self, path: Path) -> None:
        """Give the file its place; there is nothing left to go on with."""
        self.close()
        self._path.replace(path)

    def discard(self) -> None:
        """Forget the bytes; the next ones are the first."""
        self.close()
        self._path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)
        self._hash, self.size, self._etag, self.total = hashlib.sha256(), 0, None, None

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _read(origin: Path, url: str) -> tuple[str | None, int | None]:
    """ETag and whole size as this url gave them; nothing when another place began the file."""
    try:
        found = json.loads(origin.read_bytes())
        return (found["etag"], int(found["size"])) if found["url"] == url else (None, None)
    except (OSError, ValueError, TypeError, KeyError):
        return None, None
