"""A fixed list of actions: what every reference agent comes down to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import __version__
from harness.agents.base import Briefing, Observation
from harness.schema.episode import Usage
from harness.schema.steps import Action


class ScriptedAgent:
    """Plays `actions` in order whatever it observes, then submits if the list did not."""

    model: str | None = None
    version = __version__

    def __init__(self, name: str, actions: Sequence[Action]) -> None:
        self.name = name
        self.actions = tuple(actions)
        self._rest: Iterator[Action] = iter(())

    def begin(self, briefing: Briefing) -> None:
        self._rest = iter(self.actions)

    def act(self, observation: Observation) -> Action:
        return next(self._rest, Action(kind="submit"))

    def usage(self) -> Usage:
        return Usage()
