"""Pinned source files. Takes a Source, gives the path of a local copy whose SHA-256 and size are the declared ones.

A copy is looked for in the store, then in the mirror folder, then at the urls in order. An interrupted download goes on
where it stopped, also in a later process. Bytes that do not match are never given and never kept. From a mirror a
declared twin (the same content, packed again) is as good as the source's own bytes.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import OpenerDirector

from harness.data.download import Transfer, Unfetched, download
from harness.errors import DataError
from harness.schema.digest import file_sha256
from harness.schema.task import Source

MIRROR_VARIABLE = "GYMBOARD_DATA_MIRROR"
Progress = Callable[[str, int, int], None]
"""File name, bytes there, bytes in all."""


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
    source: Source, store: Path, mirror: Path | None, opener: OpenerDirector, progress: Progress | None = None
) -> Path:
    """The verified local copy. Raises DataError that lists every place that was tried and what was found there."""
    final = store / source.sha256
    with locked(store / f"{source.sha256}.lock"):
        if final.is_file() and matches(final, source):
            return final
        final.unlink(missing_ok=True)
        partial = store / f"{source.sha256}.partial"
        try:
            _fill(source, partial, mirror, opener, progress)
        except OSError as error:
            raise DataError(f"{source.name}: cannot be stored in {store}: {error}") from error
        partial.chmod(0o444)
        partial.rename(final)
    return final


def matches(path: Path, source: Source) -> bool:
    """Whether the file has a declared size and its digest: the source's own, or a twin's."""
    size = path.stat().st_size
    return size in source.accepted.values() and source.accepted.get(file_sha256(path)) == size


def _fill(
    source: Source, partial: Path, mirror: Path | None, opener: OpenerDirector, progress: Progress | None
) -> None:
    tried: list[str] = []
    if mirror is not None:
        fault = _copy(source, mirror / source.mirror, partial)
        if fault is None:
            return
        tried.append(f"{mirror / source.mirror}: {fault}")
    for url in source.urls:
        transfer = Transfer(url, partial, source.size_bytes, opener, progress and _named(progress, source))
        try:
            download(transfer, lambda path: matches(path, source))
        except Unfetched as error:
            tried.append(f"{url}: {error}")
        else:
            return
    raise DataError(_unreachable(source, tried, mirror))


def _named(progress: Progress, source: Source) -> Callable[[int], None]:
    return lambda done: progress(source.name, done, source.size_bytes)


def _copy(source: Source, found: Path, partial: Path) -> str | None:
    """Copy from the mirror; the fault when it is not there or not the same bytes."""
    if not found.is_file():
        return "no such file"
    if found.stat().st_size not in source.accepted.values():
        return f"has {found.stat().st_size:,} bytes, {source.size_bytes:,} expected"
    beside = partial.with_suffix(".copy")
    try:
        shutil.copyfile(found, beside)
        if not matches(beside, source):
            return f"has another SHA-256 than {source.sha256}"
        beside.rename(partial)
    finally:
        beside.unlink(missing_ok=True)
    return None


def _unreachable(source: Source, tried: list[str], mirror: Path | None) -> str:
    other = "another folder" if mirror else "a folder"
    return "\n  ".join(
        [
            f"{source.name} ({source.size_bytes:,} bytes, sha256 {source.sha256}) could not be had; tried",
            *(tried or ["nothing: it has no url and no mirror was given"]),
            *([f"Its digest is cited, not verified here: {source.unverified}"] if source.unverified else []),
            f"Put it under the name {source.mirror} into {other} and pass --mirror FOLDER (or set {MIRROR_VARIABLE}).",
        ]
    )
