"""An episode's folder on one machine, kept as a copy in the run's folder on another.

Takes a worker's folder, gives what it holds that was not given yet: lines that were appended, files that are new. Takes
such changes or a whole archive and writes them, every file whole or absent, episode.json last. Never writes outside the
episode's folder, and never behind lines other than those that the worker went on from.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.archive import ArchiveCaps, open_regular, read_archive, write_archive
from harness.errors import VerificationError
from harness.files import replace_file
from harness.llm.journal import FILE as JOURNAL
from harness.runner.aids import BEGUN_WITH
from harness.runner.phases import BESIDE
from harness.sandbox.owner import folder_prefix
from harness.schema.base import SafePath

LAST = "episode.json"
TOLD = (BESIDE,)
"""What nobody goes on from, and who looks at the run reads."""
NEEDED_TO_GO_ON = (JOURNAL, "steps.jsonl", BEGUN_WITH, "attempts/")
CAPS = ArchiveCaps(packed=16 << 30, unpacked=64 << 30, members=100_000, ratio=1 << 20)
"""The archive comes from a worker of ours; what an agent put into it was capped when it was copied out."""
_SAFE: TypeAdapter[str] = TypeAdapter(SafePath)
State = tuple[int, int, int]
"""Inode, bytes, nanoseconds of the last change."""


@dataclass(frozen=True)
class Change:
    """Bytes of one file of an episode's folder that follow the first `at`; 0: the whole file."""

    name: str
    at: int
    data: bytes


class Sender:
    """What of an episode's `folder` was given away. What is in there at first counts as given. Safe across threads."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._given = {name: _state(file) for name, file in files(folder)}

    def changes(self, *names: str) -> list[Change]:
        """What was not given yet of the files whose names begin so."""
        with self._lock:
            return [
                self._change(name, file)
                for name, file in files(self._folder)
                if name.startswith(names) and not self._has(name, file)
            ]

    def rest(self) -> dict[str, Path]:
        """Every file that was not given as it is now."""
        with self._lock:
            return {name: file for name, file in files(self._folder) if not self._has(name, file)}

    def _has(self, name: str, file: Path) -> bool:
        there, given = _state(file), self._given.get(name)
        return there == given or (_is_lines(name) and given is not None and there[:2] == given[:2])

    def _change(self, name: str, file: Path) -> Change:
        inode, _, changed = _state(file)
        given = self._given.get(name)
        at = given[1] if given and _is_lines(name) and given[0] == inode else 0
        with file.open("rb") as handle:
            handle.seek(at)
            data = handle.read()
        self._given[name] = (inode, at + len(data), changed)
        return Change(name, at, data)


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The regular files of an episode's folder by name, without those that are being written."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
            yield file.relative_to(folder).as_posix(), file


def apply(folder: Path, change: Change) -> None:
    """Make one change in a copy. Raises VerificationError when the copy is not what the change goes on from."""
    file = _inside(folder, change.name)
    if change.at == 0:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, change.data)
        return
    there = file.stat().st_size if file.is_file() else 0
    if there != change.at:
        raise VerificationError("copy", f"{file} has {there} bytes; the worker's lines go on from {change.at}")
    with file.open("ab") as handle:
        handle.write(change.data)
        handle.flush()
        os.fsync(handle.fileno())


def packed(members: Mapping[str, Path]) -> bytes:
    """One archive of `members`: name inside -> file."""
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as scratch:
        out = Path(scratch) / "episode.tar.zst"
        write_archive(out, members)
        return out.read_bytes()


def unpack(archive: bytes, folder: Path) -> None:
    """Write an archive's files into `folder`. Raises VerificationError on anything that packed() would not give; what
    was written by then is whole, and episode.json is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    last: bytes | None = None
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as scratch:
        file = Path(scratch) / "episode.tar.zst"
        file.write_bytes(archive)
        with open_regular(file) as opened:
            for member in read_archive(opened, f"the copy of {folder.name}", CAPS):
                target = _inside(folder, member.name)
                if member.name == LAST:
                    last = member.read()
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, member.read())
    if last is not None:
        replace_file(folder / LAST, last)


def _inside(folder: Path, name: str) -> Path:
    try:
        return folder / _SAFE.validate_python(name, strict=True)
    except ValidationError:
        raise VerificationError("copy", f"{name[:200]!r} is no name of an episode's file") from None


def _is_lines(name: str) -> bool:
    return name.endswith(".jsonl")


def _state(file: Path) -> State:
    there = file.stat()
    return there.st_ino, there.st_size, there.st_mtime_ns
