"""Recorder: the only writer of an episode's folder.

Takes steps and artifacts as they come, gives files: steps.jsonl (appended, flushed to disk each step), attempts/<n>/,
and at the end workspace.patch, trajectory.json and, last and by atomic rename, episode.json. A folder without
episode.json is an episode that did not finish.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

from harness.files import replace_file
from harness.grading.base import Artifact
from harness.runner.trajectory import build_trajectory
from harness.schema.episode import Episode
from harness.schema.steps import StepLine
from harness.schema.trajectory import TrajectoryAgent


class Recorder:
    """Files of one episode. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.exists():  # an unfinished try: its steps stay readable beside the new ones
            folder.rename(_free_name(folder))
        folder.mkdir(parents=True)
        self._steps = (folder / "steps.jsonl").open("ab")

    def step(self, line: StepLine) -> None:
        """Append one step; on disk when this returns."""
        record = line.model_dump(mode="json", exclude_defaults=True)
        self._steps.write(json.dumps(record, sort_keys=True, ensure_ascii=True).encode() + b"\n")
        self._steps.flush()
        os.fsync(self._steps.fileno())

    def artifact(self, index: int, artifact: Artifact) -> None:
        """Keep the bytes of an attempt."""
        for path, data in artifact.items():
            file = self.folder / "attempts" / str(index) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def finish(self, episode: Episode, agent: TrajectoryAgent, instruction: str, patch: str) -> None:
        """Write what stands at the end; episode.json last."""
        self._steps.close()
        replace_file(self.folder / "workspace.patch", patch.encode())
        trajectory = build_trajectory(episode, agent, instruction, self.folder / "steps.jsonl")
        replace_file(self.folder / "trajectory.json", trajectory.canonical())
        replace_file(self.folder / "episode.json", episode.canonical())

    def close(self) -> None:
        self._steps.close()


def _free_name(folder: Path) -> Path:
    tries = (folder.with_name(f"{folder.name}.unfinished-{number}") for number in itertools.count(1))
    return next(name for name in tries if not name.exists())
