"""Where an episode happens: a task, its prepared data and the engine.

Takes prepared folders, gives the agent's place and grades. Never puts a label into the agent's place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.grading.base import Artifact, GradeJob, grade
from harness.runner.starter import instruction
from harness.runner.steady import steadily
from harness.sandbox.base import BoxSpec, Caps, Engine
from harness.schema.episode import Verdict
from harness.schema.starter import OtherStarter, Variant
from harness.schema.task import ProfileName, Split, TaskSpec


@dataclass(frozen=True)
class Place:
    """Where an episode happens. `agent_data` and `grader_data` are prepared folders, None when the task has none.

    `task` is the task on this `dataset` already (TaskSpec.on); `starter` is None for the whole one. `sealed`: which
    attempts get a sealed grade, by index; None: all.
    """

    task: TaskSpec
    folder: Path
    profile: ProfileName
    engine: Engine
    agent_data: Path | None = None
    grader_data: Path | None = None
    starter: OtherStarter | None = None
    dataset: str | None = None
    sealed: frozenset[int] | None = None

    @property
    def variant(self) -> Variant | None:
        return self.task.starter(self.starter) if self.starter else None

    @property
    def instruction(self) -> str:
        return instruction(self.task, self.folder, self.variant, self.dataset)

    def box(self, seed: int, starter: Path, beside: Mapping[str, Path] | None = None) -> BoxSpec:
        """The agent's place: starter, read-only data and what is mounted beside them, profile and parameters in the
        environment, no labels."""
        params = self.task.profiles[self.profile].params
        env = {f"GYMBOARD_{name.upper()}": str(value) for name, value in params.items()}
        env |= {"GYMBOARD_PROFILE": self.profile, "GYMBOARD_EPISODE_SEED": str(seed)}
        limits = self.task.limits
        return BoxSpec(
            image=self.task.image,
            starter=starter,
            mounts={**({"data": self.agent_data} if self.agent_data else {}), **(beside or {})},
            env=env,
            caps=Caps(limits.memory_mib, limits.cpus, limits.pids),
        )

    def grade(self, artifact: Artifact, split: Split) -> Verdict:
        """Grade frozen bytes with a seed drawn only now; again, with another, when the engine ended under it."""

        def once() -> Verdict:
            job = GradeJob(
                task=self.task,
                folder=self.folder,
                profile=self.profile,
                split=split,
                artifact=artifact,
                seed=os.urandom(32),
                grader_data=self.grader_data,
            )
            return grade(job, self.engine)

        return steadily(self.engine, f"a {split} grade of {self.task.id}", once)
