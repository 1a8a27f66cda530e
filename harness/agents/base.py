"""What an agent is: something that is briefed once and then answers every observation with one action.

Takes a Briefing and Observations, gives Actions. Agents act on the task only through these: the harness executes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from harness.schema.episode import Usage
from harness.schema.steps import Action
from harness.schema.task import ProfileName, TaskSpec


@dataclass(frozen=True)
class Briefing:
    """What the agent is told before its first action."""

    task: TaskSpec
    profile: ProfileName
    seed: int
    instruction: str


@dataclass(frozen=True)
class Observation:
    """What came of the last action. `text` is all that a language model would be shown."""

    text: str
    exit_code: int | None = None


class Agent(Protocol):
    """The contract, whole."""

    name: str
    version: str
    model: str | None

    def begin(self, briefing: Briefing) -> None:
        """Called once, before the first observation."""
        ...

    def act(self, observation: Observation) -> Action:
        """The next action. Raising ends the episode with exit status `runtime`."""
        ...

    def usage(self) -> Usage:
        """Tokens and calls so far."""
        ...
