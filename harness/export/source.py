"""Where exported episodes come from: a run's folder or a bundle, read whole and scrubbed.

Takes folders, gives each Episode with its trajectory and the level that its evidence, as far as it lies here, supports.
Never takes a level from a claim: without the signers' keys nothing is signed, and without a regrade report of these
very bytes nothing is regraded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.payload import part_name, read_logs
from harness.schema.episode import Episode
from harness.schema.regrade import RegradeReport
from harness.schema.run import RunManifest
from harness.schema.trajectory import Trajectory
from harness.scrub import Scrubber
from harness.signing import BUNDLE, Signers
from harness.verify import verify, verify_contents

Level = Literal["unsigned", "signed", "regraded"]
LEVELS: tuple[Level, ...] = ("unsigned", "signed", "regraded")
MAX_TRAJECTORY_BYTES = 256 << 20


@dataclass(frozen=True)
class Told:
    """One episode, ready to be exported. `source` is the entry's id or the run's name."""

    source: str
    level: Level
    episode: Episode
    trajectory: Trajectory

    @property
    def id(self) -> str:
        return f"{self.source}/{self.episode.key}"


def episodes(folder: Path, signers: Signers | None, scrubber: Scrubber) -> Iterator[Told]:
    """Every episode of a run or a bundle, in order. Raises UsageError, SchemaError, VerificationError."""
    if (folder / BUNDLE).is_file():
        yield from _of_bundle(folder, signers, scrubber)
    elif (folder / "run.json").is_file():
        yield from _of_run(folder, scrubber)
    else:
        raise UsageError(f"{folder} holds neither run.json nor {BUNDLE}; give the folder of a run or of an entry")


def _of_run(folder: Path, scrubber: Scrubber) -> Iterator[Told]:
    manifest = RunManifest.from_json((folder / "run.json").read_bytes(), subject=str(folder / "run.json"))
    for task in sorted(manifest.tasks):
        for seed in sorted(manifest.seeds):
            place = folder / task / f"seed-{seed}"
            if (place / "episode.json").is_file():  # one that did not finish has nothing to tell yet
                episode = Episode.from_json((place / "episode.json").read_bytes(), subject=str(place))
                data = (place / "trajectory.json").read_bytes()
                yield _told(manifest.run, "unsigned", episode, data, scrubber)


def _of_bundle(folder: Path, signers: Signers | None, scrubber: Scrubber) -> Iterator[Told]:
    bundle = verify(folder, signers).bundle if signers else verify_contents(folder).bundle
    if not bundle.payload:
        raise UsageError(f"{bundle.entry.id} has no payload: figures only, and no episode to export")
    level = _level(folder, signers)
    for part in bundle.payload:
        mine = {episode.key: episode for episode in bundle.episodes if part_name(episode.task) == part.name}
        for key, data in read_logs(folder / part.name, mine, "trajectory.json", MAX_TRAJECTORY_BYTES):
            if data is None:
                raise UsageError(f"{bundle.entry.id}: the trajectory of {key} is over {MAX_TRAJECTORY_BYTES} bytes")
            yield _told(bundle.entry.id, level, mine[key], data, scrubber)


def _level(folder: Path, signers: Signers | None) -> Level:
    if signers is None:
        return "unsigned"
    file = folder.resolve().with_name(f"{folder.resolve().name}.regrade.json")
    if not file.is_file():
        return "signed"
    report = RegradeReport.from_json(file.read_bytes(), subject=str(file))
    same = report.bundle_sha256 == hashlib.sha256((folder / BUNDLE).read_bytes()).hexdigest()
    return "regraded" if same and report.supports == "regraded" else "signed"


def _told(source: str, level: Level, episode: Episode, data: bytes, scrubber: Scrubber) -> Told:
    where = f"{source}/{episode.key}/trajectory.json"
    trajectory = Trajectory.from_json(scrubber.log(where, "trajectory.json", data), subject=where)
    return Told(source, level, episode, trajectory)
