"""A task's data on this machine. Takes a task folder, gives its agent/ and grader/ folders, built once, read-only.

data.py runs as a process of its own, with almost no environment, in a folder beside the final one; only a complete
result is renamed into place. The folder's name is a digest over data.py, the sources and the parameters, so a change of
any of them builds anew. Never imports a task's code, never gives a half-built folder, needs no network once built.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import OpenerDirector

from harness.data.download import https_opener
from harness.data.manifest import PARTS, write_manifest
from harness.data.sources import MIRROR_VARIABLE, Progress, locked, missing_bytes, need_room, obtain
from harness.errors import DataError, in_words
from harness.files import flush
from harness.home import home
from harness.schema.base import canonical_bytes
from harness.schema.digest import file_sha256
from harness.schema.task import ProfileName, Source, TaskSpec

BUILD_TIME_S = 3600
SCRIPT = "data.py"
SOURCES = "sources"


@dataclass(frozen=True)
class Prepared:
    """Read-only folders. `grader` holds the labels and is closed to other users; `sha256` names how they were made."""

    agent: Path
    grader: Path
    sha256: str

    @property
    def folder(self) -> Path:
        return self.agent.parent


def prepare(
    spec: TaskSpec,
    folder: Path,
    profile: ProfileName,
    *,
    mirror: Path | None = None,
    root: Path | None = None,
    progress: Progress | None = None,
    opener: OpenerDirector | None = None,
    offline: bool = False,
) -> Prepared | None:
    """The task's data in this profile, built if it is not there yet; None for a task without data.py.

    Arguments: `mirror` is a folder of source files (default: GYMBOARD_DATA_MIRROR), `root` where prepared data is kept
    (default: data/ in Gymboard's home), `opener` how urls are opened (default: https with the system's authorities),
    `offline`: no place outside this machine is asked.
    Raises DataError. Safe to call from several processes at once. The smoke profile has no sources.
    """
    root = root or default_root()
    prepared = place(spec, folder, profile, root)
    if prepared is None or prepared.folder.is_dir():
        return prepared
    final = prepared.folder
    try:
        with locked(final.with_name(final.name + ".lock")) as lock:
            if not final.is_dir():
                asked = None if offline else opener or https_opener()
                wanted = spec.sources if profile == "official" else ()
                sources = _sources(spec.id, wanted, root / SOURCES, mirror or _default_mirror(), asked, progress)
                _build(spec, folder / SCRIPT, profile, sources, prepared, lock)
    except OSError as error:
        raise DataError(f"{spec.id}: its data cannot be prepared in {root}: {in_words(error)}") from error
    return prepared


def default_root() -> Path:
    """Where prepared data and the store of source files are kept: data/ in Gymboard's home."""
    return home() / "data"


def place(spec: TaskSpec, folder: Path, profile: ProfileName, root: Path) -> Prepared | None:
    """Where this data is or would be; None for a task without data.py."""
    script = folder / SCRIPT
    if not script.is_file():
        return None
    digest = _digest(spec, script, profile)
    final = root / spec.id / f"{profile}-{digest[:16]}"
    return Prepared(final / "agent", final / "grader", digest)


def _default_mirror() -> Path | None:
    named = os.environ.get(MIRROR_VARIABLE)
    return Path(named) if named else None


def _digest(spec: TaskSpec, script: Path, profile: ProfileName) -> str:
    sources = {source.name: source.key for source in spec.sources} if profile == "official" else {}
    made_of = {
        "script": file_sha256(script),
        "sources": sources,
        "profile": profile,
        "params": spec.profiles[profile].params,
    }
    return hashlib.sha256(canonical_bytes(made_of)).hexdigest()


def _sources(
    task: str,
    wanted: tuple[Source, ...],
    store: Path,
    mirror: Path | None,
    opener: OpenerDirector | None,
    progress: Progress | None,
) -> dict[str, Path]:
    if wanted:
        store.mkdir(parents=True, exist_ok=True)
        need_room(store, sum(missing_bytes(source, store) for source in wanted), f"{task}: its data")
    return {source.name: obtain(source, store, mirror, opener, progress) for source in wanted}


def _build(
    spec: TaskSpec, script: Path, profile: ProfileName, sources: dict[str, Path], prepared: Prepared, lock: int
) -> None:
    final = prepared.folder
    with _scratch(final.with_name(final.name + ".building")) as scratch:
        for part in ("source", "out", "tmp"):
            (scratch / part).mkdir()
        for name, path in sources.items():
            link = scratch / "source" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
        _run(spec, script, profile, scratch, lock)
        _close(spec, scratch / "out")
        write_manifest(scratch / "out", spec.id, profile, prepared.sha256)
        (scratch / "out").rename(final)
        final.chmod(0o555)
        flush(final.parent)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A fresh folder, gone afterwards. One left by a killed process is removed first: its lock is ours."""
    _remove(path)
    path.mkdir()
    try:
        yield path
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    if path.exists():
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)


def _run(spec: TaskSpec, script: Path, profile: ProfileName, scratch: Path, lock: int) -> None:
    """Run data.py without our environment, isolated from our packages' paths. Raises DataError with its last words.

    It inherits the lock: should we be killed, nobody builds in its folder before it has ended too.
    """
    params = json.dumps(spec.profiles[profile].params, sort_keys=True)
    argv = [sys.executable, "-I", "-B", str(script.resolve()), "--profile", profile, "--params", params]
    argv += ["--source", str(scratch / "source"), "--out", str(scratch / "out")]
    environment = {
        "PATH": os.defpath,
        "HOME": str(scratch / "tmp"),
        "TMPDIR": str(scratch / "tmp"),
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            argv,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=BUILD_TIME_S,
            check=False,
            pass_fds=(lock,),
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"{spec.id}: data.py took longer than {BUILD_TIME_S} s") from None
    if done.returncode:
        tail = done.stderr.decode("utf-8", "replace").strip()[-2000:]
        if os.strerror(errno.ENOSPC) in tail:
            raise DataError(f"{spec.id}: the disk of {scratch.parent} is full; free some space there and call again")
        raise DataError(f"{spec.id}: data.py ended with {done.returncode}: {tail or 'it printed nothing'}")


def _close(spec: TaskSpec, out: Path) -> None:
    """Check what data.py wrote, flush it to the disk and make it read-only; grader/ is for its owner alone."""
    for part in PARTS:
        if not any((out / part).glob("*")):
            raise DataError(f"{spec.id}: data.py wrote nothing into {part}/")
    for path in list(out.rglob("*")):
        hidden = path.relative_to(out).parts[:1] == ("grader",)
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise DataError(f"{spec.id}: data.py wrote {path.relative_to(out)}, which is not a regular file")
        flush(path)
        path.chmod((0o500 if hidden else 0o555) if path.is_dir() else (0o400 if hidden else 0o444))
