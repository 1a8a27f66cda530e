"""The baseline: runs the task's untouched starter, looks at one validation score, and hands the result in."""

from __future__ import annotations

from harness.agents.scripted import ScriptedAgent
from harness.schema.steps import Action
from harness.schema.task import TaskSpec


def baseline_agent(task: TaskSpec) -> ScriptedAgent:
    """`starter_command`, validate, submit."""
    run = Action(kind="bash", command=task.starter_command, thought="Run the starter as it is.")
    return ScriptedAgent("baseline", [run, Action(kind="validate"), Action(kind="submit")])
