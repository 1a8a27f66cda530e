"""What lies under runs/: every run with how far it is, and every other thing with why it is none.

Takes the folder, gives a FoundRun an entry. Reads run.json, spending.jsonl and names; opens no episode. Never follows a
link, never writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SchemaError, UsageError, in_words
from harness.llm.spending import FILE as SPENDING
from harness.llm.spending import SpendingLine
from harness.runner.locks import LOCKS
from harness.runner.manifest import FILE as MANIFEST
from harness.runner.phases import LOG
from harness.runner.run import keys_of
from harness.runs.held import run_held
from harness.runs.own import own_file
from harness.schema.run import RunManifest

GONE = ".gone-"
"""What a run is called while it is removed."""
MOST_MANIFEST_BYTES, MOST_EPISODES, MOST_FOLDERS = 4 << 20, 100_000, 200
"""Of a run.json, of the episodes that it names, and of folders in one another: more is no run of ours."""


@dataclass(frozen=True)
class FoundRun:
    """One entry of runs/. `fault`: why it is no run, in words; everything else but `running` is then empty.
    `spent_usd` None: nobody was paid. `bytes` of its regular files."""

    name: str
    folder: Path
    manifest: RunManifest | None = None
    fault: str = ""
    running: bool = False
    done: int = 0
    total: int = 0
    spent_usd: float | None = None
    bytes: int = 0


def survey(runs: Path) -> list[FoundRun]:
    """Everything in `runs`, by name. Raises UsageError when that is no folder."""
    if not runs.is_dir():
        raise UsageError(f"there is no folder {runs}; name where runs are kept by --runs")
    return [look(folder) for folder in sorted(runs.iterdir())]


def look(folder: Path) -> FoundRun:
    """One entry of runs/."""
    try:
        manifest = _manifest(folder)
        keys = keys_of(manifest.tasks, manifest.seeds)
        return FoundRun(
            folder.name,
            folder,
            manifest,
            running=run_held(folder),
            done=sum(_ended(folder, key) for key in keys),
            total=len(keys),
            spent_usd=spent_usd(folder),
            bytes=sum(entry.stat(follow_symlinks=False).st_size for entry in files(folder)),
        )
    except (UsageError, SchemaError, OSError) as error:
        fault = " ".join(in_words(error).split())[:300]
        return FoundRun(folder.name, folder, fault=fault, running=_begins(folder))


def _begins(folder: Path) -> bool:
    """Whether a run is being begun in what is none yet."""
    try:
        return run_held(folder)
    except OSError:
        return False


def _manifest(folder: Path) -> RunManifest:
    """Raises UsageError or SchemaError with why this is no run."""
    if folder.name.startswith(GONE):
        raise UsageError("is being removed, or was left by a `runs clean` that was stopped, which the next one removes")
    if folder.is_symlink():
        raise UsageError("is a link; a run is a folder")
    if not folder.is_dir():
        raise UsageError("is no folder")
    if never_begun(folder) and not run_held(folder):
        raise UsageError("is a run that never began; `runs clean` removes it")
    file = folder / MANIFEST
    if file.is_symlink() or not file.is_file():
        begun = "; one is being begun there" if run_held(folder) else ""
        raise UsageError(f"holds no {MANIFEST}, so it is no run{begun}")
    own_file(folder, MANIFEST, MOST_MANIFEST_BYTES)
    manifest = RunManifest.from_json(file.read_bytes(), subject=MANIFEST)
    if manifest.run != folder.name:
        raise UsageError(f"holds the {MANIFEST} of a run called {manifest.run}; a run lies in a folder of its own name")
    if (named := len(manifest.tasks) * len(manifest.seeds)) > MOST_EPISODES:
        raise UsageError(f"holds a {MANIFEST} that names {named:,} episodes; {MOST_EPISODES:,} are looked at")
    return manifest


def _ended(folder: Path, key: str) -> bool:
    """Whether an episode has its record. One that lies elsewhere, or is none, counts as not ended: `show` says why."""
    try:
        return own_file(folder, f"{key}/episode.json")
    except UsageError:
        return False


def never_begun(folder: Path) -> bool:
    """Whether a folder holds what a run makes before its run.json, and nothing else: it was refused, or killed then."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return bool(names) and names <= {LOCKS, LOG.parts[0]} and all(_ours(folder, entry) for entry in files(folder))


def _ours(folder: Path, entry: os.DirEntry[str]) -> bool:
    """A lock, which is empty, or the run's log: somebody else's folder may be called logs too."""
    where = Path(entry.path).relative_to(folder)
    return entry.is_file(follow_symlinks=False) and (where == LOG or (where.parent == Path(LOCKS) and _empty(entry)))


def _empty(entry: os.DirEntry[str]) -> bool:
    return entry.stat(follow_symlinks=False).st_size == 0


def files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder that is no folder, links as such. Raises UsageError at another file system, and where
    folders lie in one another deeper than MOST_FOLDERS."""
    device = folder.lstat().st_dev
    places = [(str(folder), 0)]
    while places:
        place, depth = places.pop()
        if depth > MOST_FOLDERS:
            raise UsageError(f"holds more than {MOST_FOLDERS} folders in one another")
        with os.scandir(place) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    yield entry
                elif entry.stat(follow_symlinks=False).st_dev != device:
                    raise UsageError(f"holds another file system, mounted on {entry.path}")
                else:
                    places.append((entry.path, depth + 1))


def spent_usd(folder: Path) -> float | None:
    """What the run has paid, and the most that calls in flight can cost; None without a spending.jsonl. As Ledger, but
    without its lock and only reading. Raises SchemaError, UsageError."""
    file = folder / SPENDING
    if not own_file(folder, SPENDING):
        return None
    costs: dict[str, SpendingLine] = {}
    for text in file.read_bytes().split(b"\n")[:-1]:
        line = SpendingLine.from_json(text, subject=SPENDING)
        if line.kind == "settle" or line.id not in costs:
            costs[line.id] = line
    return sum(line.usd for line in costs.values())
