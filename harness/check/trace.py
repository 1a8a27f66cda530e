"""The rule of the trace: what a bundle says of an episode's actions is what its payload shows.

Takes each episode's trajectory out of the payload, derives the classes of its steps anew, and compares. Proves that
the two agree, not that either happened: that is what a replay is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.check.rule import Finding, Subject, rule
from harness.errors import Problem, SchemaError
from harness.payload import part_name, read_logs
from harness.schema.episode import MAX_TRACE, ActionClass, Episode, traced
from harness.schema.steps import TOOL_CLASSES, Action
from harness.schema.trajectory import Trajectory, TrajectoryStep

MAX_TRAJECTORY_BYTES = 64 << 20


@rule(
    "GB309",
    "trace",
    "Pack a run of this harness; run episodes again that an older one recorded.",
)
def trace_agrees(subject: Subject) -> Iterator[Finding]:
    """A run has a trace for every episode of at most 100,000 steps, and it is what the trajectory in the payload shows,
    step by step.
    """
    if subject.held is None:
        return
    numbers = {episode.key: number for number, episode in enumerate(subject.bundle.episodes)}
    for part in subject.bundle.payload:
        mine = {episode.key: episode for episode in subject.bundle.episodes if part_name(episode.task) == part.name}
        for key, data in read_logs(subject.folder / part.name, mine, "trajectory.json", MAX_TRAJECTORY_BYTES):
            if fault := _fault(mine[key], data):
                yield f"episodes[{numbers[key]}].trace", fault


def _fault(episode: Episode, data: bytes | None) -> str | None:
    """What is wrong with the trace, seen from the trajectory's bytes."""
    if episode.trace is None:
        return None if episode.steps > MAX_TRACE else "is missing"
    if data is None:
        return f"cannot be compared: trajectory.json is over {MAX_TRAJECTORY_BYTES} bytes"
    try:
        shown = traced(_classes(Trajectory.from_json(data, "trajectory.json")))
    except SchemaError as error:
        return f"cannot be compared: trajectory.json: {error.problems[0]}"
    if shown == episode.trace:
        return None
    shown = shown or ""
    at = next((n for n, (one, other) in enumerate(zip(episode.trace, shown, strict=False)) if one != other), None)
    if at is None:
        return f"has {len(episode.trace)} steps; the trajectory shows {len(shown)}"
    return f"says {episode.trace[at]!r} at step {at + 1}; the trajectory shows {shown[at]!r}"


def _classes(trajectory: Trajectory) -> list[ActionClass | None]:
    """The class of every step of the agent. Raises SchemaError when a call is no action of this harness."""
    steps = [step for step in trajectory.steps if step.source == "agent"]
    if steps and _by_harness(steps[-1]):
        steps.pop()
    return [_class(step) for step in steps]


def _by_harness(step: TrajectoryStep) -> bool:
    """Whether the harness handed in here, at a limit; only a submit can be its own, and only at the end."""
    ours = (step.extra or {}).get("gymboard")
    return isinstance(ours, dict) and ours.get("by") == "harness" and _class(step) == "Submit"


def _class(step: TrajectoryStep) -> ActionClass | None:
    """None: the step called nothing. More than one call a step is refused: a second one would hide in it."""
    calls, where = step.tool_calls or (), f"step {step.step_id}"
    if len(calls) > 1:
        raise SchemaError(where, [Problem("tool_calls", f"{where} has {len(calls)} calls; this harness records one")])
    if not calls:
        return None
    name, arguments = calls[0].function_name, calls[0].arguments
    if name in TOOL_CLASSES:
        return TOOL_CLASSES[name]
    return Action.from_json(json.dumps({**arguments, "kind": name}), where).action_class
