"""One episode: briefs the agent, executes its actions, copies artifacts out, grades them where it never was.

Takes a Place (task, profile, prepared data, engine) and an agent; gives an Episode, already on disk. An agent's
fault, whatever it is, ends in a recorded episode. Never shows the agent a sealed score.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from harness.agents.base import Agent, Briefing, Observation
from harness.clock import now
from harness.errors import EpisodeOver, GradingError, InvalidArtifact, SandboxError
from harness.grading.base import Artifact, GradeJob, artifact_sha256, grade
from harness.runner.recorder import Recorder
from harness.runner.starter import instruction, laid_out
from harness.runner.trajectory import who
from harness.runner.words import command_text, verdict_text
from harness.sandbox.base import BoxSpec, Caps, Engine, Sandbox
from harness.schema.episode import ActionClass, Attempt, Episode, ExitStatus, Verdict, counted, traced
from harness.schema.starter import OtherStarter, Variant
from harness.schema.steps import Action, StepLine
from harness.schema.task import ProfileName, Split, TaskSpec
from harness.tools.base import ToolState
from harness.tools.registry import call

PATCH_CAP_BYTES = 256 * 1024


@dataclass(frozen=True)
class Place:
    """Where an episode happens. `agent_data` and `grader_data` are prepared folders, None when the task has none.

    `task` is the task on this `dataset` already (TaskSpec.on); `starter` is None for the whole one.
    """

    task: TaskSpec
    folder: Path
    profile: ProfileName
    engine: Engine
    agent_data: Path | None = None
    grader_data: Path | None = None
    starter: OtherStarter | None = None
    dataset: str | None = None

    @property
    def variant(self) -> Variant | None:
        return self.task.starter(self.starter) if self.starter else None

    @property
    def instruction(self) -> str:
        return instruction(self.task, self.folder, self.variant, self.dataset)

    def box(self, seed: int, starter: Path) -> BoxSpec:
        """The agent's place: starter, read-only data, profile and parameters in the environment, no labels."""
        params = self.task.profiles[self.profile].params
        env = {f"GYMBOARD_{name.upper()}": str(value) for name, value in params.items()}
        env |= {"GYMBOARD_PROFILE": self.profile, "GYMBOARD_EPISODE_SEED": str(seed)}
        limits = self.task.limits
        return BoxSpec(
            image=self.task.image,
            starter=starter,
            mounts={"data": self.agent_data} if self.agent_data else {},
            env=env,
            caps=Caps(limits.memory_mib, limits.cpus, limits.pids),
        )

    def grade(self, artifact: Artifact, split: Split) -> Verdict:
        """Grade frozen bytes with a seed drawn only now."""
        return grade(
            GradeJob(
                task=self.task,
                folder=self.folder,
                profile=self.profile,
                split=split,
                artifact=artifact,
                seed=os.urandom(32),
                grader_data=self.grader_data,
            ),
            self.engine,
        )


class EpisodeRun:
    """The state of one episode while it runs."""

    def __init__(self, place: Place, agent: Agent, seed: int, recorder: Recorder) -> None:
        self.place, self.agent, self.seed, self.recorder = place, agent, seed, recorder
        self.attempts: list[Attempt] = []
        self.artifacts: dict[str, Artifact] = {}
        self.classes: list[ActionClass | None] = []
        self.patch = ""
        self.tools: ToolState
        self.started, self.clock = now(), time.monotonic()

    @property
    def steps(self) -> int:
        """Actions of the agent that were executed; handing in at a limit is the harness's own."""
        return len(self.classes)

    def run(self) -> Episode:
        """Play to the end, then grade every attempt on the sealed split with the sandbox gone."""
        task = self.place.task
        instruction = self.place.instruction
        with (
            laid_out(self.place.folder, self.place.variant) as starter,
            self.place.engine.sandbox(self.place.box(self.seed, starter)) as box,
        ):
            status, detail = self._play(box, instruction)
            wall_s = round(time.monotonic() - self.clock, 3)
            try:
                self.patch = box.workspace_patch(PATCH_CAP_BYTES)
            except SandboxError as error:
                self.patch = f"(no patch: {error})\n"
        self._seal()
        if status == "success" and not self._handed_in_valid():
            status = "evaluation_error"
        episode = Episode(
            task=task.id,
            task_version=task.version,
            profile=self.place.profile,
            variant=self.place.starter,
            dataset=self.place.dataset,
            seed=self.seed,
            exit_status=status,
            exit_detail=detail,
            started=self.started,
            steps=self.steps,
            actions=counted(self.classes),
            trace=traced(self.classes),
            attempts=tuple(self.attempts),
            usage=self.agent.usage().model_copy(update={"wall_s": wall_s}),
        )
        self.recorder.finish(episode, who(self.agent), instruction, self.patch)
        return episode

    def _play(self, box: Sandbox, instruction: str) -> tuple[ExitStatus, str | None]:
        """Steps until the agent submits or a limit ends it; a limit hands in what is there."""
        self.tools = ToolState(box)
        observation = Observation(instruction)
        self.agent.begin(Briefing(self.place.task, self.place.profile, self.seed, instruction))
        while True:
            if at_limit := self._limit():
                self._auto_submit(box)
                return at_limit, None
            try:
                action = self.agent.act(observation)
            except EpisodeOver as over:
                self._auto_submit(box)
                return over.status, str(over)[:2000]
            except Exception as error:  # an agent is foreign code: its fault is a result, recorded with its reason
                self._auto_submit(box)
                return "runtime", f"the agent raised {type(error).__name__}: {error}"[:2000]
            try:
                observation = self._take(box, action)
            except SandboxError as error:
                return "runtime", str(error)[:2000]
            if action.kind == "submit":
                return "success", None

    def _limit(self) -> ExitStatus | None:
        limits = self.place.task.limits
        if self.steps >= limits.steps:
            return "max_steps"
        return "wall_time" if time.monotonic() - self.clock >= limits.wall_time_s else None

    def _auto_submit(self, box: Sandbox) -> None:
        """Hand in what is there; a sandbox that is gone has nothing, and the episode's status already says why."""
        try:
            self._take(box, Action(kind="submit"), by_harness=True)
        except SandboxError as error:
            refused = f"nothing could be copied out: {error}"[:2000]
            attempt = Attempt(index=len(self.attempts), step=self.steps + 1, kind="submit", refused=refused)
            self.attempts.append(attempt)

    def _take(self, box: Sandbox, action: Action, *, by_harness: bool = False) -> Observation:
        """Execute one action and put it on disk."""
        begun = time.monotonic()
        observation = self._execute(box, action)
        if not by_harness:
            self.classes.append(action.action_class)
        self.recorder.step(
            StepLine(
                step=self.steps + by_harness,
                time=now(),
                action=action,
                observation=observation.text,
                exit_code=observation.exit_code,
                duration_s=round(time.monotonic() - begun, 6),
                by="harness" if by_harness else "agent",
            )
        )
        return observation

    def _execute(self, box: Sandbox, action: Action) -> Observation:
        limits = self.place.task.limits
        if action.kind == "bash":
            left = limits.wall_time_s - (time.monotonic() - self.clock)
            allowed = limits.training_time_s if action.action_class == "Python" else limits.command_time_s
            result = box.exec(action.command, timeout_s=max(1.0, min(allowed, left)))
            return Observation(command_text(result), result.exit_code)
        if action.kind == "none":
            return Observation(f"no action could be read from this answer: {action.command}", 1)
        if action.kind == "tool":
            said = call(self.tools, action.tool, action.arguments)
            return Observation(said.text, said.exit_code)
        if action.kind == "write":
            try:
                box.write(action.path, action.data)
            except InvalidArtifact as error:
                return Observation(f"not written: {error}", 1)
            return Observation(f"wrote {action.path}: {len(action.data)} bytes", 0)
        return self._hand_in(box, action)

    def _hand_in(self, box: Sandbox, action: Action) -> Observation:
        """Copy the artifact out once; a validate is graded at once on the validation split, and told."""
        index, kind = len(self.attempts), action.kind
        assert kind in ("validate", "submit")
        step = self.steps + 1
        try:
            artifact = box.copy_out([(file.path, file.max_bytes) for file in self.place.task.artifact])
        except InvalidArtifact as error:
            self.attempts.append(Attempt(index=index, step=step, kind=kind, refused=str(error)[:2000]))
            return Observation(f"refused: {error}", 1)
        digest = artifact_sha256(artifact)
        self.artifacts[digest] = artifact
        self.recorder.artifact(index, artifact)
        attempt = Attempt(
            index=index,
            step=step,
            kind=kind,
            artifact_sha256=digest,
            artifact_bytes=sum(map(len, artifact.values())),
        )
        if kind == "submit":
            self.attempts.append(attempt)
            return Observation("submitted", 0)
        try:
            verdict = self.place.grade(artifact, "validation")
        except GradingError as error:
            self.attempts.append(attempt)
            return Observation(f"the grader itself failed, this is not your fault: {error}", 1)
        self.attempts.append(attempt.model_copy(update={"validation": verdict}))
        return Observation(verdict_text(self.place.task, self.place.profile, verdict), 0 if verdict.valid else 1)

    def _seal(self) -> None:
        """The sealed grade of every attempt; the same bytes are graded once. GradingError goes to the caller:
        the episode is then unfinished, and nothing is scored."""
        verdicts = {digest: self.place.grade(artifact, "sealed") for digest, artifact in self.artifacts.items()}
        self.attempts = [
            attempt.model_copy(update={"sealed": verdicts[attempt.artifact_sha256]})
            if attempt.artifact_sha256
            else attempt
            for attempt in self.attempts
        ]

    def _handed_in_valid(self) -> bool:
        last = self.attempts[-1] if self.attempts else None
        return bool(last and last.sealed and last.sealed.valid)
