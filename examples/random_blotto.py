"""An agent of one's own: tries random hyperparameters of a task's starter and hands in the one that validated best.

gymboard run --agent examples.random_blotto:RandomSearch --tasks colonel-blotto --profile smoke --seeds 1
"""

from __future__ import annotations

import random
import re

from harness.agents.base import Briefing, Observation
from harness.schema.episode import Usage
from harness.schema.steps import Action

TRIES = 3
SCORE = re.compile(r"validation .* = (-?[0-9.]+)")


class RandomSearch:
    """Three tries, then the best one again."""

    name = "random-search"
    version = "1.0"
    model = None

    def begin(self, briefing: Briefing) -> None:
        """Once, with the task. The episode's seed is its only randomness: a resumed episode goes the same way."""
        self.task = briefing.task
        self.random = random.Random(briefing.seed)
        self.sign = briefing.task.metric.sign
        self.scores: dict[str, float] = {}
        self.command = ""
        self.next = "run"

    def act(self, observation: Observation) -> Action:
        """Run, validate, and at the end run the best and submit."""
        if self.next == "validate":
            self.next = "look"
            return Action(kind="validate", thought="How good is this one?")
        if self.next == "look" and (found := SCORE.search(observation.text)):
            self.scores[self.command] = self.sign * float(found[1])
        if len(self.scores) >= TRIES and self.next != "submit":
            self.next = "submit"
            return Action(kind="bash", command=max(self.scores, key=lambda command: self.scores[command]))
        if self.next == "submit":
            return Action(kind="submit")
        self.next = "validate"
        values = {p.name: self._draw(p.low, p.high) for p in self.task.hyperparameters if p.kind == "int"}
        settings = " ".join(f"GYMBOARD_HP_{name.upper()}={value}" for name, value in values.items())
        self.command = f"{settings} python parameters.py strategy.py"
        return Action(kind="bash", command=self.command, thought=f"Try {values}.")

    def usage(self) -> Usage:
        """Nothing was paid beside briefing.model, which this agent does not use."""
        return Usage()

    def _draw(self, low: float | None, high: float | None) -> int:
        return self.random.randint(int(low or 0), int(high or 0))
