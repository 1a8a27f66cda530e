"""One episode as a line of a training set, in the chat format of OpenAI that fine-tuning libraries read.

Takes a Told episode and its task, gives a Row: `messages` and `tools` as a trainer wants them, a reward for each of
the assistant's messages, and the facts by which rows are chosen. Arguments of calls and the tools' schemas are JSON, so
that every row has the same columns. What the harness did by itself, at a limit, is no message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Literal

from harness.export.source import Told
from harness.payload import best_attempt
from harness.schema.base import Record
from harness.schema.episode import Attempt
from harness.schema.steps import TOOL_CLASSES
from harness.schema.task import Metric, TaskSpec
from harness.schema.trajectory import TrajectoryStep


class Function(Record):
    """The name of what was called, and its arguments as JSON text."""

    name: str
    arguments: str


class Call(Record):
    """One tool call."""

    id: str
    type: Literal["function"] = "function"
    function: Function


class Message(Record):
    """One message. The agent's system prompt comes first where it told one. Assistant messages may reason and call;
    tool messages answer one call."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning_content: str | None = None
    tool_calls: tuple[Call, ...] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class Row(Record):
    """One episode. Scores in the metric's own unit on the sealed split; `gain` is the final score over the baseline,
    positive when better. `rewards` has one number for each assistant message, in order: by how much its validation
    bettered the best so far (the baseline at first), 0 for every other message.
    """

    id: str
    source: str
    level: str
    agent: str
    agent_version: str
    model: str | None
    task: str
    task_version: str
    profile: str
    variant: str | None
    dataset: str | None
    seed: int
    exit_status: str
    success: bool
    metric: str
    direction: str
    score: float | None
    best_score: float | None
    baseline: float | None
    gain: float | None
    steps: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    wall_s: float | None
    rewards: tuple[float, ...]
    messages: tuple[Message, ...]
    tools: str


def row(told: Told, task: TaskSpec) -> Row:
    """The line of one episode."""
    episode, metric = told.episode, task.metric
    known = task.baseline(episode.profile)
    baseline = known.value if known else None
    last = episode.attempts[-1] if episode.attempts else None
    best = best_attempt(episode, metric)
    score = _sealed(last, metric)
    steps = [step for step in told.trajectory.steps if step.source == "agent" and not _by_harness(step)]
    return Row(
        id=told.id,
        source=told.source,
        level=told.level,
        agent=told.trajectory.agent.name,
        agent_version=told.trajectory.agent.version,
        model=told.trajectory.agent.model_name,
        task=episode.task,
        task_version=episode.task_version,
        profile=episode.profile,
        variant=episode.variant,
        dataset=episode.dataset,
        seed=episode.seed,
        exit_status=episode.exit_status,
        success=episode.exit_status == "success",
        metric=metric.name,
        direction=metric.direction,
        score=score,
        best_score=_sealed(best, metric),
        baseline=baseline,
        gain=None if score is None or baseline is None else _better(metric, score, baseline),
        steps=episode.steps,
        input_tokens=episode.usage.input_tokens,
        output_tokens=episode.usage.output_tokens,
        cost_usd=episode.usage.reported_cost_usd,
        wall_s=episode.usage.wall_s,
        rewards=tuple(_rewards(steps, {a.step: a for a in episode.attempts}, metric, baseline)),
        messages=tuple(_messages(told.trajectory.steps, steps)),
        tools=json.dumps(_tools(told, steps), sort_keys=True),
    )


def _sealed(attempt: Attempt | None, metric: Metric) -> float | None:
    return attempt.sealed.metrics.get(metric.name) if attempt and attempt.sealed else None


def _better(metric: Metric, value: float, than: float) -> float:
    return metric.sign * (value - than)


def _rewards(
    steps: list[TrajectoryStep], attempts: Mapping[int, Attempt], metric: Metric, baseline: float | None
) -> Iterator[float]:
    best = baseline
    for number, _ in enumerate(steps, start=1):
        attempt = attempts.get(number)
        verdict = attempt.validation if attempt else None
        value = verdict.metrics.get(metric.name) if verdict else None
        if value is None:
            yield 0.0
            continue
        gained = 0.0 if best is None else max(0.0, _better(metric, value, best))
        best = value if best is None or gained > 0 else best
        yield gained


def _by_harness(step: TrajectoryStep) -> bool:
    ours = (step.extra or {}).get("gymboard")
    return isinstance(ours, dict) and ours.get("by") == "harness"


def _messages(every: Sequence[TrajectoryStep], steps: list[TrajectoryStep]) -> Iterator[Message]:
    """What was said before the first answer, then each of the `steps` and what came back; an answer that could not be
    read gets a user message."""
    for step in takewhile(lambda step: step.source != "agent", every):
        yield Message(role="system" if step.source == "system" else "user", content=step.message)
    for step in steps:
        calls = tuple(
            Call(id=c.tool_call_id, function=Function(name=c.function_name, arguments=_json(c.arguments)))
            for c in step.tool_calls or ()
        )
        yield Message(
            role="assistant",
            content=step.message,
            reasoning_content=step.reasoning_content,
            tool_calls=calls or None,
        )
        names = {call.id: call.function.name for call in calls}
        for result in step.observation.results if step.observation else ():
            called = result.source_call_id
            role: Literal["tool", "user"] = "tool" if called in names else "user"
            yield Message(
                role=role,
                content=result.content or "",
                tool_call_id=called if role == "tool" else None,
                name=names.get(called or ""),
            )


def _tools(told: Told, steps: list[TrajectoryStep]) -> list[Mapping[str, Any]]:
    """What the agent said that it offers its model; else the plain schemas of what it called."""
    if told.trajectory.agent.tool_definitions:
        return list(told.trajectory.agent.tool_definitions)
    called = sorted({call.function_name for step in steps for call in step.tool_calls or ()})
    return [_schema(name) for name in called]


_HELP = {
    "bash": ("Run a command in the workspace's shell.", {"command": "string"}),
    "write": ("Write a file; data is base64.", {"path": "string", "data": "string"}),
    "validate": ("Grade the artifact on the validation split.", {}),
    "submit": ("Hand in the artifact and end.", {}),
}


def _schema(name: str) -> Mapping[str, Any]:
    text, arguments = _HELP.get(name, (f"{TOOL_CLASSES.get(name, 'Unknown')} tool.", {}))
    parameters: dict[str, Any] = {"type": "object", "properties": {key: {"type": t} for key, t in arguments.items()}}
    if arguments:
        parameters["required"] = list(arguments)
    return {"type": "function", "function": {"name": name, "description": text, "parameters": parameters}}


def _json(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False)
