"""What this machine has of a task's data. Takes task and places, gives a line for each source. Never fetches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.data import hub, manifest
from harness.data.folders import SOURCES, place
from harness.data.sources import stored
from harness.errors import Problem
from harness.schema.task import ProfileName, Source, TaskSpec

PROFILES: tuple[ProfileName, ...] = ("official", "smoke")
Digest = Literal["verified", "cited", "unknown"]


@dataclass(frozen=True)
class SourceState:
    """One source file. `where`: stored, mirror, installed, hub cache, partial or absent; `bytes_there` of its size."""

    task: str
    source: Source
    where: str
    bytes_there: int

    @property
    def digest(self) -> Digest:
        """How far the declared digest is known to be right."""
        if self.source.unverified is None:
            return "verified"
        return "cited" if self.source.sha256 else "unknown"


def source_states(spec: TaskSpec, root: Path, mirror: Path | None) -> list[SourceState]:
    """Where each source of the task would come from; sizes are looked at, digests are not."""
    return [SourceState(spec.id, source, *_found(source, root / SOURCES, mirror)) for source in spec.sources]


def prepared_profiles(spec: TaskSpec, folder: Path, root: Path) -> dict[ProfileName, bool]:
    """Which profiles are ready; empty for a task without data."""
    places = {profile: place(spec, folder, profile, root) for profile in PROFILES}
    return {profile: found.folder.is_dir() for profile, found in places.items() if found}


def faults(spec: TaskSpec, folder: Path, root: Path) -> tuple[int, list[Problem]]:
    """How many stored sources and prepared folders were read again from end to end, and everything wrong with them."""
    problems: list[Problem] = []
    kept = [source for source in spec.sources if (root / SOURCES / source.key).is_file()]
    for source in kept:
        if not stored(source, root / SOURCES):
            advice = (
                f"the stored {source.name} has other bytes than it should; the next `data prepare` fetches it again"
            )
            problems.append(Problem(str(root / SOURCES / source.key), advice))
    places = [place(spec, folder, profile, root) for profile in PROFILES]
    folders = [found.folder for found in places if found and found.folder.is_dir()]
    for made in folders:
        problems += manifest.faults(made)
    return len(kept) + len(folders), problems


def _found(source: Source, store: Path, mirror: Path | None) -> tuple[str, int]:
    cached = hub.cached(source.hub) if source.hub else None
    candidates = {
        "stored": store / source.key,
        "mirror": mirror / source.mirror if mirror else None,
        "installed": Path(source.installed) if source.installed else None,
        "hub cache": cached,
        "partial": store / f"{source.key}.partial",
    }
    for where, path in candidates.items():
        if path and path.is_file():
            return where, path.stat().st_size
    return "absent", 0
