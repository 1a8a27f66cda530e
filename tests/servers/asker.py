"""The smallest agent with a language model: one tool call a reply, one action a call, the whole history every time."""

from __future__ import annotations

import json
from typing import Any

from harness.agents.base import Briefing, Observation
from harness.schema.episode import Usage
from harness.schema.steps import Action

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": name,
            "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
        },
    }
    for name in ("bash", "validate", "submit")
]


class Asker:
    """`window`: how many of the last messages are sent beside the first, 0: all."""

    name, version, model = "asker", "1", None

    def __init__(self, window: int = 0) -> None:
        self._window = window

    def begin(self, briefing: Briefing) -> None:
        assert briefing.model is not None
        self._ask, self._said = briefing.model.complete, list[dict[str, Any]]()

    def act(self, observation: Observation) -> Action:
        left = observation.left
        text = f"{observation.text}\n[{left.steps} steps, {left.time_s} s, ${left.cost_usd} left]" if left else ""
        self._said.append({"role": "user", "content": text})
        sent = self._said if not self._window else [self._said[0], *self._said[1:][-self._window :]]
        reply = self._ask(sent, TOOLS)
        self._said.append({"role": "assistant", "content": json.dumps([c.model_dump() for c in reply.calls])})
        if not reply.calls:
            return Action(kind="none", thought=reply.text)
        call = reply.calls[0]
        if call.name == "bash":
            return Action(kind="bash", command=json.loads(call.arguments)["command"], call_id=call.id)
        return Action(kind="submit" if call.name == "submit" else "validate", call_id=call.id)

    def usage(self) -> Usage:
        return Usage()
