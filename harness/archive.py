"""Archive: the one form of a payload part, written deterministically and read without trust.

Takes names and files, gives one USTAR archive of regular files in one zstd frame: sorted names, mode 0644, owner and
time zero. The reader accepts exactly what the writer makes, header by header, streams it, and stops at its caps.
Never unpacks to disk, never follows a name: what to do with a member is its caller's.
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import zstandard

from harness.errors import UsageError, VerificationError

LEVEL = 9
BLOCK = 512
END = bytes(2 * BLOCK)
CHUNK = 1 << 20
MAX_WINDOW = 8 << 20


@dataclass(frozen=True)
class ArchiveCaps:
    """Limits while reading, in bytes. Above `ratio_from_bytes` unpacked, at most `ratio` bytes come of one packed."""

    packed: int = 2 << 30
    unpacked: int = 4 << 30
    members: int = 10_000
    ratio: int = 250
    ratio_from: int = 32 << 20


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def _padding(size: int) -> int:
    return -size % BLOCK


@contextmanager
def open_regular(file: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading. Raises UsageError on a link, a device, a FIFO or nothing."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"{file} is not a readable regular file: {error.strerror}") from None
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UsageError(f"{file} is not a regular file; links, devices and pipes are not packed")
        yield opened


def write_archive(out: Path, members: Mapping[str, Path]) -> None:
    """Write the archive of `members` (name inside -> file). The same contents give the same bytes.

    Raises UsageError on what is not a regular file, on a name that USTAR cannot hold, and on a file that changes.
    """
    sizes = {name: members[name].lstat().st_size for name in sorted(members)}
    total = sum(BLOCK + size + _padding(size) for size in sizes.values()) + len(END)
    packer = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj(size=total)
    with out.open("xb") as raw:
        for name, size in sizes.items():
            try:
                raw.write(packer.compress(_header(name, size)))
            except (ValueError, UnicodeEncodeError) as error:
                raise UsageError(f"{name!r} cannot be a name in a payload archive: {error}") from None
            for chunk in _chunks(members[name], size):
                raw.write(packer.compress(chunk))
        raw.write(packer.compress(END) + packer.flush())
        raw.flush()
        os.fsync(raw.fileno())


def _chunks(file: Path, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes of a file, then its padding."""
    left = size
    with open_regular(file) as source:
        while chunk := source.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise UsageError(f"{file} changed while it was packed; is the run still going?")
    yield bytes(_padding(size))


class Member:
    """One file of the archive while it passes by: its bytes can be had once, before the next member is asked for."""

    def __init__(self, name: str, size: int, stream: _Stream) -> None:
        self.name, self.size = name, size
        self._stream, self._left = stream, size

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in pieces of at most one MiB."""
        while self._left:
            piece = self._stream.exactly(min(CHUNK, self._left))
            self._left -= len(piece)
            yield piece

    def read(self) -> bytes:
        """All of it; the caller has looked at `size`."""
        return b"".join(self.chunks())


def read_archive(file: BufferedReader, name: str, caps: ArchiveCaps = ArchiveCaps()) -> Iterator[Member]:
    """Every member in order; `name` is what errors call the archive.

    Raises VerificationError("archive", ...) on anything that the writer would not write.
    """
    stream = _Stream(file, name, caps)
    previous = ""
    for number in range(caps.members + 1):
        block = stream.exactly(BLOCK)
        if block == bytes(BLOCK):
            break
        if number == caps.members:
            raise stream.refused(f"has more than {caps.members} files")
        member = _member(block, stream)
        if member.name <= previous:
            raise stream.refused(f"is not sorted, or names {member.name!r} twice")
        previous = member.name
        yield member
        for _ in member.chunks():
            pass
        if any(stream.exactly(_padding(member.size))):
            raise stream.refused(f"has bytes in the padding after {member.name!r}")
    stream.finish()


def _member(block: bytes, stream: _Stream) -> Member:
    """The member of a header block, which must be the very block that the writer makes of its name and size."""
    try:
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        same = _header(info.name, info.size) == block
    except (tarfile.HeaderError, ValueError) as error:
        raise stream.refused(f"has a header that cannot be read: {error}") from None
    if not same:
        kind = "a regular file" if info.isreg() else f"type {info.type!r}"
        raise stream.refused(f"has a header that is not canonical: {info.name[:200]!r}, {kind}, mode {info.mode:o}")
    return Member(info.name, info.size, stream)


class _Stream:
    """Decompressed bytes with caps. Memory stays at a window and a chunk, whatever the frame says."""

    def __init__(self, file: BufferedReader, name: str, caps: ArchiveCaps) -> None:
        self._name = name
        self._packed = os.fstat(file.fileno()).st_size
        self._caps, self._total = caps, 0
        if self._packed > caps.packed:
            raise self.refused(f"is {self._packed} bytes; at most {caps.packed} are read")
        try:
            declared = _single_frame(file, name, self._packed)
        except zstandard.ZstdError as error:
            raise self.refused(f"is not a zstd frame: {error}") from None
        self._check(declared)
        file.seek(0)
        self._reader = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).stream_reader(file, closefd=False)

    def exactly(self, size: int) -> bytes:
        pieces = []
        left = size
        while left:
            try:
                piece = self._reader.read(left)
            except zstandard.ZstdError as error:
                raise self.refused(f"is damaged: {error}") from None
            if not piece:
                raise self.refused("ends too early")
            left -= len(piece)
            self._total += len(piece)
            self._check(self._total)
            pieces.append(piece)
        return b"".join(pieces)

    def finish(self) -> None:
        """The second zero block, then nothing."""
        if self.exactly(BLOCK) != bytes(BLOCK) or self._reader.read(1):
            raise self.refused("has bytes after its end")

    def _check(self, total: int) -> None:
        caps = self._caps
        if total > caps.unpacked:
            raise self.refused(f"unpacks to more than {caps.unpacked} bytes")
        if total > caps.ratio_from and total > caps.ratio * self._packed:
            raise self.refused(f"unpacks to more than {caps.ratio} times its {self._packed} bytes")

    def refused(self, why: str) -> VerificationError:
        return _refused(self._name, why)


def _single_frame(file: BufferedReader, name: str, size: int) -> int:
    """The unpacked size that the frame declares. The file must be one frame and nothing else (RFC 8878, 3.1.1)."""
    head = file.read(18)
    frame = zstandard.get_frame_parameters(head)
    if frame.content_size in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR) or frame.dict_id:
        raise _refused(name, "does not declare its unpacked size, or needs a dictionary")
    at = zstandard.frame_header_size(head)
    last = False
    while not last:
        file.seek(at)
        block = int.from_bytes(file.read(3).ljust(3, b"\xff"), "little")
        last, kind, length = bool(block & 1), block >> 1 & 3, block >> 3
        if kind == 3:
            raise _refused(name, "has a broken block")
        at += 3 + (1 if kind == 1 else length)
    if at + (4 if frame.has_checksum else 0) != size:
        raise _refused(name, "is not exactly one zstd frame")
    return frame.content_size


def _refused(name: str, why: str) -> VerificationError:
    return VerificationError("archive", f"{name} {why}")
