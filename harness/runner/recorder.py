"""Recorder: the only writer of an episode's folder.

Takes steps and artifacts as they come, gives files: steps.jsonl (appended, flushed to disk each step), attempts/<n>/,
and at the end workspace.patch, trajectory.json and, last and by atomic rename, episode.json. A folder without
episode.json is an episode that did not finish: when a model was paid in it, its steps are the `past` that the episode
goes on from; else it is put aside and the episode begins anew.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections import deque
from pathlib import Path

from harness.files import Kept, LineFile, nothing_more, replace_file
from harness.grading.base import Artifact
from harness.llm.journal import FILE as JOURNAL
from harness.runner.trajectory import build_trajectory
from harness.schema.episode import Episode
from harness.schema.steps import StepLine, read_steps
from harness.schema.trajectory import TrajectoryAgent


class Recorder:
    """Files of one episode. `kept` is called when a step or an artifact is on disk, before anybody acts on it."""

    def __init__(self, folder: Path, kept: Kept = nothing_more) -> None:
        self.folder, self.kept = folder, kept
        steps = folder / "steps.jsonl"
        resumed = goes_on(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.past = deque(read_steps(steps)) if resumed and steps.is_file() else deque()
        self._written = len(self.past)
        self._steps = LineFile(steps)

    def step(self, line: StepLine) -> None:
        """Append one step; on disk when this returns."""
        record = line.model_dump(mode="json", exclude_defaults=True)
        self._steps.append(json.dumps(record, sort_keys=True, ensure_ascii=True).encode())
        self._written += 1
        self.kept()

    def forget_the_rest(self) -> None:
        """The agent goes another way than the `past` says: what is left of it is kept in a file beside."""
        self._steps.close()
        file = self.folder / "steps.jsonl"
        lines = file.read_bytes().splitlines(keepends=True)
        self._written -= len(self.past)
        self.past.clear()
        file.rename(_free_name(file))
        replace_file(file, b"".join(lines[: self._written]))
        self._steps = LineFile(file)
        self.kept()

    def artifact(self, index: int, artifact: Artifact) -> None:
        """Keep the bytes of an attempt; on disk when this returns. What a killed process left of it goes first."""
        if (there := self.folder / "attempts" / str(index)).exists():
            shutil.rmtree(there)
        for path, data in artifact.items():
            file = self.folder / "attempts" / str(index) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, data)
        self.kept()

    def kept_artifact(self, index: int) -> Artifact:
        """The bytes of an attempt of the past."""
        folder = self.folder / "attempts" / str(index)
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def finish(self, episode: Episode, agent: TrajectoryAgent, instruction: str, patch: str, system: str = "") -> None:
        """Write what stands at the end; episode.json last. `system`: the agent's system prompt."""
        self._steps.close()
        replace_file(self.folder / "workspace.patch", patch.encode())
        trajectory = build_trajectory(episode, agent, instruction, self.folder / "steps.jsonl", system)
        replace_file(self.folder / "trajectory.json", trajectory.canonical())
        replace_file(self.folder / "episode.json", episode.canonical())

    def close(self) -> None:
        self._steps.close()


def goes_on(folder: Path) -> bool:
    """Whether an unfinished episode is gone on with: a model was paid in it. If not, its steps are put aside, and
    stay readable beside the new ones."""
    if _has_lines(folder / JOURNAL):
        return True
    if _has_lines(folder / "steps.jsonl"):
        folder.rename(_free_name(folder))
    return False


def _has_lines(file: Path) -> bool:
    return file.is_file() and b"\n" in file.read_bytes()


def _free_name(folder: Path) -> Path:
    tries = (folder.with_name(f"{folder.name}.unfinished-{number}") for number in itertools.count(1))
    return next(name for name in tries if not name.exists())
