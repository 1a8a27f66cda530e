"""The replay: executes the recorded actions of another episode, without any model call."""

from __future__ import annotations

from pathlib import Path

from harness.agents.scripted import ScriptedAgent
from harness.errors import UsageError
from harness.schema.steps import read_steps


def replay_agent(steps_file: Path) -> ScriptedAgent:
    """The actions of a steps.jsonl, in order. A torn last line (power loss) is left out; anything else is refused."""
    if not steps_file.is_file():
        raise UsageError(f"no recorded steps at {steps_file}; give --from a run that holds <task>/seed-<n>/steps.jsonl")
    return ScriptedAgent("replay", [line.action for line in read_steps(steps_file) if line.by == "agent"])
