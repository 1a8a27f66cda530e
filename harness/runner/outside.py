"""An episode whose actions come from outside: one action in, what came of it out, the runner's own loop in between.

Takes a Place, a seed and a folder, gives Turns. The episode runs in a thread of its own, by run_episode like every
other, and its agent waits for the next action; the wall time goes on meanwhile. Never a second way to execute one.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.agents.base import Briefing, Observation
from harness.errors import Abandoned, SandboxError
from harness.runner.place import Place
from harness.runner.run import run_episode
from harness.schema.episode import Attempt, Episode, Usage
from harness.schema.steps import Action, StepLine, read_steps

HANDS_IN = ("validate", "submit")


@dataclass(frozen=True)
class Turn:
    """What came of an action: what it showed, what it handed in, and the episode when that has ended.

    `executed` is false for an action that came when a limit had ended the episode already.
    """

    observation: Observation
    attempt: Attempt | None = None
    episode: Episode | None = None
    executed: bool = True


class _Outside:
    """The agent whose decisions are made elsewhere."""

    name, version = "outside", __version__
    model: str | None = None

    def __init__(self) -> None:
        self.shown: queue.SimpleQueue[Observation | Episode | BaseException] = queue.SimpleQueue()
        self.decided: queue.SimpleQueue[Action | None] = queue.SimpleQueue()

    def begin(self, briefing: Briefing) -> None:
        """Nothing to prepare."""

    def act(self, observation: Observation) -> Action:
        """Raises Abandoned when nobody decides any more."""
        self.shown.put(observation)
        action = self.decided.get()
        if action is None:
            raise Abandoned("whoever played this episode has left it")
        return action

    def usage(self) -> Usage:
        """Nothing: what decides is outside."""
        return Usage()


class OutsideEpisode:
    """One episode, begun at once; `leave` it when it is not needed any more, ended or not."""

    def __init__(self, place: Place, seed: int, folder: Path) -> None:
        self._place, self._seed, self._folder = place, seed, folder
        self._agent, self._steps = _Outside(), 0
        self._thread = threading.Thread(target=self._run, name="gymboard-episode", daemon=True)
        self._thread.start()

    def first(self) -> Observation:
        """The instruction. Raises what kept the episode from beginning."""
        shown = self._next()
        if isinstance(shown, Episode):
            raise SandboxError(f"the episode ended before its first step: {shown.exit_status}, {shown.exit_detail}")
        return shown

    def step(self, action: Action) -> Turn:
        """Raises what of ours failed; the episode is then over, and unfinished."""
        self._agent.decided.put(action)
        shown = self._next()
        if isinstance(shown, Episode):
            return self._last(shown)
        self._steps += 1
        return Turn(shown, self._lines()[-1].attempt if action.kind in HANDS_IN else None)

    def leave(self, within_s: float) -> bool:
        """Give the episode up, ungraded, unless it has ended. Whether its thread ended in time: one that executes a
        command ends after it, or when the engine is closed."""
        self._agent.decided.put(None)
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            ended: Episode | BaseException = run_episode(self._place, self._agent, self._seed, self._folder)
        except BaseException as error:  # handed to whoever waits in step()
            ended = error
        self._agent.shown.put(ended)

    def _next(self) -> Observation | Episode:
        shown = self._agent.shown.get()
        if isinstance(shown, BaseException):
            raise shown
        return shown

    def _last(self, episode: Episode) -> Turn:
        lines = self._lines()
        if episode.steps == self._steps:
            text = f"not executed, the episode was over: {episode.exit_status}"
            return Turn(Observation(text), episode=episode, executed=False)
        line = lines[episode.steps - 1]
        return Turn(Observation(line.observation, line.exit_code), line.attempt, episode)

    def _lines(self) -> list[StepLine]:
        return list(read_steps(self._folder / "steps.jsonl"))
