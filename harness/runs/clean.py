"""Removes runs, or what is not needed of them to grade again; says beforehand what and how much.

Takes entries of runs/, gives what would go, and removes it when told to. Only what lies in a folder whose run.json
names it, under that run's lock, and never through a link, not even one that is put there meanwhile: folders are opened
within one another. A whole run is renamed first, so it is there or gone.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.runner.locks import GLANCE_S, LOCKS, RUN, held
from harness.runs.held import any_episode_held
from harness.runs.survey import GONE, MOST_FOLDERS, FoundRun, files, never_begun

WHOLE_RUN = ("run.json", "spending.jsonl")


@dataclass(frozen=True)
class Going:
    """What would go of one entry. `bytes` and `files` count that alone."""

    found: FoundRun
    files: int
    bytes: int


def going(found: FoundRun, *, keep_artifacts: bool) -> Going:
    """Looks, removes nothing. Raises UsageError when nothing of this entry may go."""
    if found.running:
        raise UsageError(f"{found.folder} is at work: another process holds its lock; it is left as it is")
    if _remains(found.folder):
        keep_artifacts = False
    elif found.fault:
        raise UsageError(f"{found.folder} {found.fault}; it is left as it is")
    entries = [
        entry for entry in _counted(found.folder) if not (keep_artifacts and _kept(_parts(found.folder, entry), entry))
    ]
    return Going(found, len(entries), sum(entry.stat(follow_symlinks=False).st_size for entry in entries))


def remove(found: FoundRun, *, keep_artifacts: bool) -> Going:
    """Removes what `going` says now, under the run's lock. Raises UsageError when another process holds it."""
    going(found, keep_artifacts=keep_artifacts)
    remains = _remains(found.folder)
    with _locked(found.folder) as (parent, inode):
        if any_episode_held(found.folder):
            raise UsageError(f"{found.folder} is at work: a process plays an episode of it; it is left as it is")
        gone = going(found, keep_artifacts=keep_artifacts)
        if not keep_artifacts or remains:
            _remove_whole(found.folder, parent, inode)
            return gone
        with _opened(found.folder.name, parent, found.folder) as here:
            if os.fstat(here).st_ino != inode:
                raise UsageError(f"{found.folder} was replaced meanwhile; it is left as it is")
            _sweep(here, (), found.folder)
            shutil.rmtree(LOCKS, ignore_errors=True, dir_fd=here)  # last: until then nobody begins in the run
        return gone


def _counted(run: Path) -> list[os.DirEntry[str]]:
    """Everything but locks: who removes a run makes one."""
    return [entry for entry in files(run) if _parts(run, entry)[0] != LOCKS]


def _parts(run: Path, entry: os.DirEntry[str]) -> tuple[str, ...]:
    return Path(entry.path).relative_to(run).parts


def _remains(folder: Path) -> bool:
    """What is left of a run that never began, or that a killed clean was removing."""
    gone = folder.name.startswith(GONE) and folder.is_dir() and not folder.is_symlink()
    return gone or never_begun(folder)


def _kept(parts: tuple[str, ...], entry: os.DirEntry[str]) -> bool:
    """What was handed in, its grades, and what the whole run says of itself; all regular files. `parts` in the run."""
    if entry.is_symlink():
        return False
    if len(parts) == 1:
        return parts[0] in WHOLE_RUN
    return parts[2:] == ("episode.json",) or (len(parts) > 3 and parts[2] == "attempts")


def _sweep(here: int, parts: tuple[str, ...], run: Path) -> None:
    """Remove what is not kept of the open folder `here`, which lies at `parts` of the run, and folders left empty."""
    with os.scandir(here) as entries:
        there = [entry for entry in entries if (*parts, entry.name) != (LOCKS,)]
    for entry in there:
        inside = (*parts, entry.name)
        if not entry.is_dir(follow_symlinks=False):
            if not _kept(inside, entry):
                os.unlink(entry.name, dir_fd=here)
            continue
        with _opened(entry.name, here, run.joinpath(*inside)) as below:
            if os.fstat(below).st_dev != os.fstat(here).st_dev or len(inside) > MOST_FOLDERS:
                raise UsageError(f"{run.joinpath(*inside)} was changed while the run was cleaned; the rest is left")
            _sweep(below, inside, run)
            with os.scandir(below) as left:
                empty = not any(left)
        if empty:
            os.rmdir(entry.name, dir_fd=here)


@contextmanager
def _opened(name: str, parent: int, path: Path) -> Iterator[int]:
    """A folder in an open one. Raises UsageError, which calls it by `path`, at a link in its place."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except NotADirectoryError:
        raise UsageError(f"{path} was replaced while the run was cleaned; the rest is left as it is") from None
    try:
        yield handle
    finally:
        os.close(handle)


def _remove_whole(folder: Path, parent: int, inode: int) -> None:
    name = folder.name
    if not name.startswith(GONE):
        name = f"{GONE}{folder.name}-{secrets.token_hex(4)}"
        os.rename(folder.name, name, src_dir_fd=parent, dst_dir_fd=parent)
    if os.stat(name, dir_fd=parent, follow_symlinks=False).st_ino != inode:
        raise UsageError(f"{folder} was replaced meanwhile; what was there is now {folder.with_name(name)}")
    shutil.rmtree(name, dir_fd=parent)


@contextmanager
def _locked(folder: Path) -> Iterator[tuple[int, int]]:
    """Hold the run's lock; gives a handle of runs/ and the folder's inode."""
    if (folder / LOCKS).is_symlink():
        raise UsageError(f"{folder / LOCKS} is a link; it is left as it is")
    parent = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        inode = os.stat(folder.name, dir_fd=parent, follow_symlinks=False).st_ino
        with held(folder / LOCKS / RUN, fcntl.LOCK_EX, GLANCE_S) as mine:
            if not mine:
                raise UsageError(f"{folder} is at work: another process holds its lock; it is left as it is")
            yield parent, inode
    finally:
        os.close(parent)
