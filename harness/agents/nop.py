"""The agent that does nothing: a task that scores it has a hole."""

from __future__ import annotations

from harness.agents.scripted import ScriptedAgent
from harness.schema.steps import Action


def nop_agent() -> ScriptedAgent:
    """Submits at once."""
    return ScriptedAgent("nop", [Action(kind="submit")])
