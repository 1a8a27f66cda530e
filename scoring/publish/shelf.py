"""Files that a build has written before, kept by the digest of everything that they were made of.

Takes a key and a way to fill a folder, fills the folder: by copies from an earlier build, or anew. Lies in the user's
cache and can be deleted at any time. A copy whose bytes are not those that were kept is thrown away and made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.schema.digest import file_sha256

MOST = 2
"""Folders that stay, the newest: tables of 10,000 entries are 200 MB."""
_MANIFEST = "manifest.json"


def shelved(place: Path | None, key: bytes, folder: Path, make: Callable[[Path], object]) -> None:
    """Fill `folder`, which is empty; `place`: where folders are kept, None: nowhere."""
    if place is None:
        make(folder)
        return
    kept = place / key.hex()
    with contextlib.suppress(OSError, ValueError, KeyError):
        _copy(kept, folder)
        os.utime(kept)
        return
    for file in folder.iterdir():
        file.unlink()
    make(folder)
    with contextlib.suppress(OSError):
        _keep(folder, kept)
        _tidy(place)


def _copy(kept: Path, folder: Path) -> None:
    """Raises OSError or ValueError when a file is gone or damaged."""
    for name, sha256 in json.loads((kept / _MANIFEST).read_bytes()).items():
        shutil.copyfile(kept / name, folder / name)
        if file_sha256(folder / name) != sha256:
            raise ValueError(f"{kept / name} is damaged")


def _keep(folder: Path, kept: Path) -> None:
    """All files or none."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=kept.parent) as part:
        work = Path(part) / "files"
        shutil.copytree(folder, work)
        digests = {file.name: file_sha256(file) for file in sorted(work.iterdir())}
        (work / _MANIFEST).write_text(json.dumps(digests), encoding="utf-8")
        shutil.rmtree(kept, ignore_errors=True)
        work.rename(kept)


def _tidy(place: Path) -> None:
    kept = sorted((one for one in place.iterdir() if not one.name.startswith(".")), key=_age, reverse=True)
    for old in kept[MOST:]:
        shutil.rmtree(old, ignore_errors=True)


def _age(folder: Path) -> float:
    return folder.stat().st_mtime
