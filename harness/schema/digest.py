"""Digests of files and of folders. Takes paths, gives lower-case hex SHA-256. Never follows a link.

A folder's digest covers relative names and bytes, and nothing else: two checkouts of one commit agree whatever their
modes, times or empty folders.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.errors import DataError

_IGNORED = "__pycache__"


def file_sha256(path: Path) -> str:
    """SHA-256 of one file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(path: Path, *, caches: bool = False) -> str:
    """SHA-256 over the lines `name NUL file digest` of every regular file, ordered by the name's UTF-8 bytes.

    `caches`: with the interpreter's caches, for a folder that is executed: what lies in one can be run.
    Raises DataError on a link, a FIFO or a device: their bytes are not the folder's own.
    """
    if not path.is_dir():
        raise DataError(f"{path}: a folder was expected, and there is none")
    digest = hashlib.sha256()
    for name, file in sorted((_name(file, path), file) for file in path.rglob("*") if _counts(file, path, caches)):
        digest.update(name + b"\0" + file_sha256(file).encode() + b"\n")
    return digest.hexdigest()


def _name(file: Path, folder: Path) -> bytes:
    return file.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")


def _counts(file: Path, folder: Path, caches: bool) -> bool:
    if not caches and _IGNORED in file.relative_to(folder).parts:
        return False
    if file.is_symlink() or not (file.is_dir() or file.is_file()):
        raise DataError(f"{file}: a digest covers regular files only; replace this link or special file by a copy")
    return file.is_file()
