"""VerdictCache: one verdict for one artifact, so that handing in the same bytes again does not roll the dice again.

Takes a folder, keeps canonical verdicts under the digest of everything a verdict depends on. The first verdict of a
key stays, also between processes. Never forgets, never caches a failure of our own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.schema.episode import Verdict


@dataclass(frozen=True)
class VerdictKey:
    """What a sealed verdict depends on, beside its seed. `task_sha256` is the digest of the task's folder."""

    artifact_sha256: str
    task_sha256: str
    grader_version: str
    profile: str
    engine: str
    dataset: str | None = None

    @property
    def name(self) -> str:
        parts = [self.artifact_sha256, self.task_sha256, self.grader_version, self.profile, self.engine]
        return hashlib.sha256("\0".join([*parts, *filter(None, [self.dataset])]).encode()).hexdigest()


class VerdictCache:
    """Verdicts in a folder, or none kept at all when `folder` is None."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: VerdictKey) -> Verdict | None:
        """The verdict of this key, if there is one. Raises SchemaError on a damaged file, which names it."""
        file = self._file(key)
        if file is None or not file.is_file():
            return None
        return Verdict.from_json(file.read_bytes(), subject=str(file))

    def put(self, key: VerdictKey, verdict: Verdict) -> Verdict:
        """Keep a verdict; gives the one that counts, which is an earlier one if another process was first."""
        file = self._file(key)
        if file is None:
            return verdict
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".verdict-") as beside:
            beside.write(verdict.canonical())
            beside.flush()
            os.fsync(beside.fileno())
            try:
                os.link(beside.name, file)
            except FileExistsError:
                return Verdict.from_json(file.read_bytes(), subject=str(file))
        return verdict

    def _file(self, key: VerdictKey) -> Path | None:
        return self.folder / key.name[:2] / f"{key.name}.json" if self.folder else None
