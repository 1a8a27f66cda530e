"""One episode: briefs the agent, executes its actions, hands in, and leaves an Episode on disk.

Takes a Place (task, profile, prepared data, engine), an agent and, for agents with a language model, the run's Models.
An agent's fault, whatever it is, ends in a recorded episode. An episode that was killed after a model was paid goes on:
its recorded actions are executed again to rebuild the workspace, while the agent is shown what it was shown before.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from harness.agents.base import Agent, Briefing, Budget, Observation
from harness.agents.command import CommandAgent
from harness.clock import now
from harness.errors import EpisodeOver, InvalidArtifact, PlaceLost, RunSpent, SandboxError
from harness.llm.meter import Meter, Models
from harness.runner.aids import Aids, begun_with
from harness.runner.attempts import Attempts
from harness.runner.attended import AgentFault, Attended
from harness.runner.phases import Phases
from harness.runner.place import Place
from harness.runner.program import ProgramPlace, program_place
from harness.runner.progress import Progress, Rest, Watch, never, unwatched
from harness.runner.recorder import Recorder
from harness.runner.starter import laid_out
from harness.runner.trajectory import system_prompt, who, with_tools
from harness.runner.words import command_text
from harness.sandbox.base import Sandbox
from harness.schema.calls import total
from harness.schema.episode import ActionClass, Episode, ExitStatus, Usage, counted, traced
from harness.schema.steps import Action, StepLine
from harness.tools.base import ToolState
from harness.tools.registry import call, needed_again

PATCH_CAP_BYTES = 256 * 1024
NO_AIDS = Aids()


class EpisodeRun:
    """The state of one episode while it runs."""

    def __init__(
        self,
        place: Place,
        agent: Agent | CommandAgent,
        seed: int,
        recorder: Recorder,
        models: Models | None = None,
        watch: Watch = unwatched,
        aids: Aids = NO_AIDS,
        rest: Rest = never,
        phases: Phases | None = None,
    ) -> None:
        self.place, self.agent, self.seed, self.recorder, self.watch = place, agent, seed, recorder, watch
        self.rest, self.phases = rest, phases or Phases()
        self.key = f"{place.task.id}/seed-{seed}"
        self.handed_in = Attempts(place, recorder, self.phases)
        self.classes: list[ActionClass | None] = []
        self.patch = ""
        self.tools: ToolState
        self.started, self.clock = now(), time.monotonic()
        self._shown_s, self._calls_told = 0.0, 0
        self.who = who(agent, models.plan.name if models else None)  # before it can change what it is called
        self.prompt = ""
        self.model = self._metered(models)
        self.aids, self.notes = aids, aids.notes(self.key, recorder.folder, self.model)
        self.attended = None if isinstance(agent, CommandAgent) else Attended(agent)

    def _metered(self, models: Models | None) -> Meter | None:
        if models is None:
            return None
        model = models.open(
            self.key, self.recorder.folder, self.place.task.limits.cost_usd, self.time_left, self.recorder.kept
        )
        model.timed = self.phases.timed
        if paid := model.paid():
            self.started = min(paid[0].started, self.started)
        return model

    @property
    def steps(self) -> int:
        """Actions of the agent that were executed; handing in at a limit is the harness's own."""
        return len(self.classes)

    def time_left(self) -> float:
        """Seconds of wall time that the episode has left."""
        return max(0.0, self.place.task.limits.wall_time_s - (time.monotonic() - self.clock))

    def run(self) -> Episode:
        """Play to the end, then grade every attempt on the sealed split with the sandbox gone."""
        task = self.place.task
        instruction = self.place.instruction
        with (
            laid_out(self.place.folder, self.place.variant) as starter,
            self._beside(instruction) as beside,
            self.phases.container(lambda: self._sandbox(starter, beside)) as box,
        ):
            status, detail = self._play(box, beside, instruction)
            self.phases.step = None
            if self.model is not None:
                self.model.end()
            wall_s = round(time.monotonic() - self.clock, 3)
            try:
                with self.phases.timed("container", what="patch"):
                    self.patch = box.workspace_patch(PATCH_CAP_BYTES)
            except PlaceLost:
                raise
            except SandboxError as error:
                self.patch = f"(no patch: {error})\n"
        own, fault = self._own_usage()
        self._tell("sealed grade")
        self.handed_in.seal()
        if status == "success" and not self.handed_in.last_is_valid:
            status = "evaluation_error"
        episode = Episode(
            task=task.id,
            task_version=task.version,
            profile=self.place.profile,
            variant=self.place.starter,
            dataset=self.place.dataset,
            seed=self.seed,
            exit_status=status,
            exit_detail=detail or fault,
            started=self.started,
            steps=self.steps,
            actions=counted(self.classes),
            trace=traced(self.classes),
            attempts=tuple(self.handed_in.made),
            usage=self._usage(own).model_copy(update={"wall_s": wall_s}),
        )
        self.recorder.finish(episode, self.who, instruction, self.patch, self.prompt)
        self.phases.outcome |= {"exit_status": status, "steps": self.steps}
        return episode

    def _sandbox(self, starter: Path, beside: ProgramPlace | None) -> Sandbox:
        return self.place.engine.sandbox(self.place.box(self.seed, starter, beside.mounts if beside else None))

    def _introduce(self) -> None:
        """What the agent tells of itself once it is briefed; later it cannot change that. Raises AgentFault."""
        try:
            self.who, self.prompt = with_tools(self.who, self.agent), system_prompt(self.agent)
        except Exception as error:
            text = f"the agent cannot say what its model is told: {type(error).__name__}: {error}"
            raise AgentFault(text[:2000]) from error

    def _own_usage(self) -> tuple[Usage, str | None]:
        """What the agent paid by itself, and what is wrong with that when it cannot be had."""
        try:
            return Usage() if self.attended is None else self.attended.usage(), None
        except AgentFault as fault:
            return Usage(), str(fault)[:2000]

    def _usage(self, own: Usage) -> Usage:
        """What the model was paid for, and what the agent paid by itself."""
        if self.model is None:
            return own
        paid = total(list(self.model.paid()))
        costs = [usage.reported_cost_usd for usage in (own, paid) if usage.api_calls]
        counts = {
            name: getattr(own, name) + getattr(paid, name)
            for name in Usage.model_fields
            if name.endswith("_tokens") or name == "api_calls"
        }
        cost = None if not costs or None in costs else sum(cost or 0.0 for cost in costs)
        return own.model_copy(update={**counts, "reported_cost_usd": cost})

    def _play(self, box: Sandbox, beside: ProgramPlace | None, instruction: str) -> tuple[ExitStatus, str | None]:
        """To the end; whatever ends it, what is there is handed in. Raises ModelUnavailable, PlaceLost and, when
        nothing was paid for this episode yet, RunSpent: it is then as good as not begun."""
        try:
            return self._steps(box, instruction) if beside is None else self._program(box, beside)
        except PlaceLost:
            raise  # no end of the episode's: it goes on in another place
        except SandboxError as error:
            ending: tuple[ExitStatus, str] = "runtime", str(error)
        except EpisodeOver as over:
            if isinstance(over, RunSpent) and self.model is not None and not self.model.paid():
                raise
            ending = over.status, str(over)
        except AgentFault as fault:
            ending = "runtime", str(fault)
        self.auto_submit(box)
        return ending[0], ending[1][:2000]

    def _steps(self, box: Sandbox, instruction: str) -> tuple[ExitStatus, str | None]:
        """Steps until the agent submits or a limit ends it."""
        assert self.attended is not None
        self.clock = time.monotonic()
        self.tools = ToolState(box, memory=self.notes, library=self.aids.library(self.time_left))
        observation = Observation(instruction, left=self.left())
        self.phases.deciding(self.steps + 1)
        memory = begun_with(self.notes, self.recorder.folder)
        briefing = Briefing(
            self.place.task, self.place.profile, self.seed, instruction, self.model, self.aids.names, memory
        )
        self.attended.begin(briefing, self.time_left())
        self._introduce()
        while True:
            if at_limit := self.limit(elapsed_s=self._shown_s):
                self.auto_submit(box)
                return at_limit, None
            self.rest()
            self._tell("thinking")
            action = self.attended.act(observation, self.time_left())
            if self.model is not None and self.model.over is not None:
                raise self.model.over  # also for an agent that would go on without its model
            self._tell(action.tool or action.kind)
            self.phases.decided()
            observation = self.take(box, action)
            if action.kind == "submit":
                return "success", None

    def _program(self, box: Sandbox, beside: ProgramPlace) -> tuple[ExitStatus, str | None]:
        """A finished program, from its begin: what a killed one did cannot be rebuilt, only what it paid is kept."""
        if self.recorder.past:
            self.recorder.forget_the_rest()
        self.clock = time.monotonic()
        self.phases.deciding(self.steps + 1)
        with self.phases.timed("command", what="program"):
            return beside.play(self, box)

    def _beside(self, instruction: str) -> AbstractContextManager[ProgramPlace | None]:
        """What a finished program needs beside its workspace; nothing for any other agent."""
        if isinstance(self.agent, CommandAgent):
            return program_place(self.agent, self.model, instruction)
        return nullcontext()

    def left(self) -> Budget:
        """What the agent is told of its limits: by what it was shown last, so that a resumed agent is told the same."""
        limits = self.place.task.limits
        return Budget(
            steps=max(0, limits.steps - self.steps),
            time_s=max(0.0, round(limits.wall_time_s - self._shown_s, 3)),
            cost_usd=self.model.left_usd if self.model else None,
        )

    def limit(self, ahead: int = 0, elapsed_s: float | None = None) -> ExitStatus | None:
        """The limit that `ahead` more steps meet, if any; at this moment, or at `elapsed_s` of the episode."""
        limits = self.place.task.limits
        if self.steps + ahead >= limits.steps:
            return "max_steps"
        elapsed_s = time.monotonic() - self.clock if elapsed_s is None else elapsed_s
        return "wall_time" if elapsed_s >= limits.wall_time_s else None

    def auto_submit(self, box: Sandbox) -> None:
        """Hand in at a limit, as the harness."""
        self.phases.decided()
        self.take(box, Action(kind="submit"), by_harness=True)

    def take(self, box: Sandbox, action: Action, *, by_harness: bool = False) -> Observation:
        """Execute one action and put it on disk; one that is there already is executed again and told as recorded."""
        begun, made = time.monotonic(), len(self.handed_in.made)
        line = self._recorded(action, by_harness=by_harness)
        if line is not None:
            if line.attempt is not None:
                self.handed_in.again(line.attempt)
            elif action.kind != "tool" or needed_again(action.tool):
                self._execute(box, action, by_harness=by_harness)
            return self._shown_again(line)
        text, exit_code = self._execute(box, action, by_harness=by_harness)
        self._write(action, text, exit_code, begun, made, by_harness=by_harness)
        return Observation(text, exit_code, self.left())

    def note(self, action: Action, observation: Observation, begun: float) -> None:
        """Put an action of the agent on disk that has been executed since `begun` (of time.monotonic)."""
        line = self._recorded(action, by_harness=False)
        if line is not None:
            self._shown_again(line)
            return
        made = len(self.handed_in.made)
        self._write(action, observation.text, observation.exit_code, begun, made, by_harness=False)

    def _recorded(self, action: Action, *, by_harness: bool) -> StepLine | None:
        """The next line of the killed process when it is this very action; else the rest of its lines is put aside."""
        past = self.recorder.past
        if not past:
            return None
        if _encoded(past[0].action) == _encoded(action) and (past[0].by == "harness") == by_harness:
            return past.popleft()
        self.recorder.forget_the_rest()
        return None

    def _shown_again(self, line: StepLine) -> Observation:
        self._shown_s = line.elapsed_s or 0.0
        self.clock = time.monotonic() - self._shown_s
        self._count(line.action, by_harness=line.by == "harness")
        self._stepped(line, again=True)
        return Observation(line.observation, line.exit_code, self.left())

    def _count(self, action: Action, *, by_harness: bool) -> None:
        self._calls_told = len(self.model.calls()) if self.model else 0
        if not by_harness:
            self.classes.append(action.action_class)

    def _write(
        self, action: Action, text: str, exit_code: int | None, begun: float, made: int, *, by_harness: bool
    ) -> None:
        """One line of steps.jsonl. `made`: how many attempts there were before it."""
        calls = tuple(self.model.calls()[self._calls_told :]) if self.model else ()
        self._count(action, by_harness=by_harness)
        self._shown_s = round(time.monotonic() - self.clock, 3)
        line = StepLine(
            step=self.steps + by_harness,
            time=now(),
            action=action,
            observation=text,
            exit_code=exit_code,
            duration_s=round(time.monotonic() - begun, 6),
            elapsed_s=self._shown_s,
            calls=calls,
            attempt=next(iter(self.handed_in.made[made:]), None),
            by="harness" if by_harness else "agent",
        )
        self.recorder.step(line)
        self._stepped(line)

    def _stepped(self, line: StepLine, *, again: bool = False) -> None:
        action = line.action
        self.phases.stepped(
            line.step,
            what=action.kind,
            kind=action.action_class,
            by=line.by,
            exit_code=line.exit_code,
            again=again or None,
        )

    def _execute(self, box: Sandbox, action: Action, *, by_harness: bool) -> tuple[str, int | None]:
        """Text and exit code."""
        step = self.steps + 1
        if action.kind == "validate":
            return self.handed_in.validate(box, step)
        if action.kind == "submit":
            return (self.handed_in.at_limit if by_harness else self.handed_in.submit)(box, step)
        if action.kind == "none":
            return f"no action could be read from this answer: {action.command}", 1
        with self.phases.timed("command", what=action.kind) as facts:
            text, code = self._done(box, action)
            facts["exit_code"] = code
            return text, code

    def _done(self, box: Sandbox, action: Action) -> tuple[str, int | None]:
        """What only the sandbox or a tool can do."""
        limits = self.place.task.limits
        if action.kind == "bash":
            allowed = limits.training_time_s if action.action_class == "Python" else limits.command_time_s
            result = box.exec(action.command, timeout_s=max(1.0, min(allowed, self.time_left())))
            return command_text(result), result.exit_code
        if action.kind == "tool":
            said = call(self.tools, action.tool, action.arguments)
            return said.text, said.exit_code
        try:
            box.write(action.path, action.data)
        except InvalidArtifact as error:
            return f"not written: {error}", 1
        return f"wrote {action.path}: {len(action.data)} bytes", 0

    def _tell(self, doing: str) -> None:
        spent = sum(call.cost_usd or 0.0 for call in self.model.paid()) if self.model else None
        limits = self.place.task.limits
        elapsed_s = time.monotonic() - self.clock
        self.watch(
            Progress(
                self.key, doing, self.steps, limits.steps, elapsed_s, limits.wall_time_s, self.handed_in.best, spent
            )
        )

    def close(self) -> None:
        if self.attended is not None:
            self.attended.close()
        if self.model is not None:
            self.model.close()


def _encoded(action: Action) -> str:
    return json.dumps(action.model_dump(mode="json"), sort_keys=True)
