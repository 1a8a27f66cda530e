"""Reads the members of a folder or of a .tar.zst, one at a time, without unpacking anything.

Takes a path, gives (name, bytes) pairs in the order of their names or of the archive. Refuses links, devices, names
that leave the folder, repeated names and anything over the caps. Never writes, never follows a link.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import zstandard
from pydantic import TypeAdapter

from harness.errors import DataError
from harness.schema.base import SafePath

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 64 * 1024**2
MAX_TOTAL_BYTES = 4 * 1024**3
_NAME: TypeAdapter[str] = TypeAdapter(SafePath)


class _Counter:
    """Counts what was read and refuses the member that goes over a cap or repeats a name."""

    def __init__(self, source: Path) -> None:
        self.source, self.total = source, 0
        self.names: set[str] = set()

    def admit(self, name: str, size: int) -> None:
        self.total += size
        if not _safe(name):
            raise DataError(f"{self.source}: member {name!r} has a name that is not a plain relative path")
        if name in self.names:
            raise DataError(f"{self.source}: member {name!r} appears twice")
        self.names.add(name)
        if size > MAX_MEMBER_BYTES or self.total > MAX_TOTAL_BYTES or len(self.names) > MAX_MEMBERS:
            raise DataError(
                f"{self.source}: too large at {name!r}; at most {MAX_MEMBERS} files of {MAX_MEMBER_BYTES} bytes, "
                f"{MAX_TOTAL_BYTES} bytes in all"
            )


def members(source: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Every regular file whose name ends with one of `suffixes`. Raises DataError on anything hostile or unreadable."""
    if source.is_dir():
        yield from _folder(source, suffixes)
    elif source.is_file():
        yield from _archive(source, suffixes)
    else:
        raise DataError(f"{source}: no such folder or .tar.zst")


def _folder(source: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    counter = _Counter(source)
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise DataError(f"{source}: {name!r} is neither a regular file nor a folder")
        if path.is_file():
            counter.admit(name, path.stat().st_size)
            if name.endswith(suffixes):
                yield name, path.read_bytes()


def _archive(source: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    counter = _Counter(source)
    reader = zstandard.ZstdDecompressor(max_window_size=2**27)
    try:
        with (
            source.open("rb") as file,
            reader.stream_reader(file) as plain,
            tarfile.open(fileobj=cast(IO[bytes], plain), mode="r|") as tar,
        ):
            for member in tar:
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise DataError(f"{source}: member {member.name!r} is not a regular file")
                counter.admit(member.name, member.size)
                if member.name.endswith(suffixes):
                    yield member.name, _content(tar, member)
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise DataError(f"{source}: not a readable .tar.zst: {error}") from error


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    data = stream.read() if stream else b""
    if len(data) != member.size:
        raise DataError(f"member {member.name!r} ends after {len(data)} of {member.size} bytes")
    return data


def _safe(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValueError:
        return False
    return True
