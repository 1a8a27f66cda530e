"""What an agent is: something that is briefed once and then answers every observation with one action.

Takes a Briefing and Observations, gives Actions. Agents act on the task only through these: the harness executes.
An episode that was killed goes on by feeding the agent the same briefing and the recorded observations again, with the
model's answers out of the journal: so an agent's actions follow from these alone, never from a clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.llm.base import Model
from harness.schema.episode import Usage
from harness.schema.steps import Action
from harness.schema.task import ProfileName, TaskSpec
from harness.tools.base import Aid


@dataclass(frozen=True)
class Briefing:
    """What the agent is told before its first action. `model` is the run's model, metered; None without --model.
    `aids`: which tools beyond the sandbox's the run has; `memory`: what its memory holds, in words.
    """

    task: TaskSpec
    profile: ProfileName
    seed: int
    instruction: str
    model: Model | None = None
    aids: frozenset[Aid] = frozenset()
    memory: str = ""


@dataclass(frozen=True)
class Budget:
    """What is left of the episode's limits: steps, seconds, USD (None: unlimited or no model)."""

    steps: int
    time_s: float
    cost_usd: float | None = None


@dataclass(frozen=True)
class Observation:
    """What came of the last action. `text` is all that a language model would be shown."""

    text: str
    exit_code: int | None = None
    left: Budget | None = None


class Agent(Protocol):
    """The contract, whole."""

    name: str
    version: str
    model: str | None

    def begin(self, briefing: Briefing) -> None:
        """Called once, before the first observation."""
        ...

    def act(self, observation: Observation) -> Action:
        """The next action. EpisodeOver ends the episode with its status, anything else raised with `runtime`."""
        ...

    def usage(self) -> Usage:
        """Tokens and calls so far that the agent paid by itself, outside briefing.model."""
        ...
