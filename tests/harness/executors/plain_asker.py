"""An agent for runs that are compared: it tells its model nothing that two runs of it would not have in common."""

from __future__ import annotations

from dataclasses import replace

from harness.agents.base import Observation
from harness.schema.steps import Action
from tests.servers.asker import Asker


class PlainAsker(Asker):
    """Asker without the time that is left."""

    name = "plain-asker"

    def act(self, observation: Observation) -> Action:
        return super().act(replace(observation, left=None))
