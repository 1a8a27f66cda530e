"""An episode's record as one ATIF v1.8 document.

Takes the Episode, who acted, the instruction, steps.jsonl and the agent's system prompt; gives a Trajectory that begins
with the prompt, where there is one, and the instruction. A tool of ours is a call of its own
name, every other action a call of its kind; an answer that could not be read is a step without a call. What ATIF has no
place for (task, exit status, attempts, wall time) lies under `extra.gymboard`. Never invents a count: a step that no
metered call paid for has no metrics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.agents.base import Agent
from harness.agents.command import CommandAgent
from harness.schema.base import Record
from harness.schema.calls import ModelCall, total
from harness.schema.episode import Attempt, Episode
from harness.schema.steps import TOOL_CLASSES, Action, StepLine, read_steps
from harness.schema.trajectory import (
    FinalMetrics,
    ObservationResult,
    StepMetrics,
    StepObservation,
    ToolCall,
    Trajectory,
    TrajectoryAgent,
    TrajectoryStep,
)


@runtime_checkable
class Configured(Protocol):
    """An agent with settings (agent.toml)."""

    settings: Record


@runtime_checkable
class ToolUser(Protocol):
    """An agent that says which tools it offers its model, as OpenAI's format writes them."""

    tool_schemas: Sequence[Mapping[str, Any]]


@runtime_checkable
class Prompted(Protocol):
    """An agent that says what its model is told before everything else."""

    system_prompt: str


def system_prompt(agent: Agent | CommandAgent) -> str:
    """The agent's system prompt, empty when it tells none, in characters that can be written down."""
    said = agent.system_prompt if isinstance(agent, Prompted) else ""
    return said.encode("utf-8", "replace").decode() if isinstance(said, str) else ""


def who(agent: Agent | CommandAgent, model: str | None = None) -> TrajectoryAgent:
    """The agent, as a trajectory names it; `model` is the one that it was given."""
    given = agent.settings if isinstance(agent, Configured) else None
    settings = given.model_dump(mode="json") if isinstance(given, Record) else {}
    return TrajectoryAgent(
        name=agent.name,
        version=agent.version,
        model_name=agent.model or model,
        extra={"settings": settings} if settings else None,
    )


def with_tools(named: TrajectoryAgent, agent: Agent | CommandAgent) -> TrajectoryAgent:
    """`named` and the tools that the agent offers its model, once it is briefed. Raises whatever the agent does."""
    tools = agent.tool_schemas if isinstance(agent, ToolUser) else ()
    offered = [dict(schema) for schema in tools] or None
    return TrajectoryAgent.from_json(json.dumps(named.model_dump(mode="json") | {"tool_definitions": offered}), "tools")


def build_trajectory(
    episode: Episode, agent: TrajectoryAgent, instruction: str, steps_file: Path, system: str = ""
) -> Trajectory:
    """steps.jsonl -> an ATIF v1.8 document. Raises SchemaError when a line is damaged."""
    steps = [TrajectoryStep(step_id=1, source="system", message=system)] if system else []
    steps.append(TrajectoryStep(step_id=len(steps) + 1, source="user", message=instruction))
    steps += [_step(line, number, agent) for number, line in enumerate(read_steps(steps_file), start=len(steps) + 1)]
    usage = episode.usage
    return Trajectory(
        schema_version="ATIF-v1.8",
        session_id=episode.key,
        trajectory_id=episode.key,
        agent=agent,
        steps=tuple(steps),
        final_metrics=FinalMetrics(
            total_prompt_tokens=usage.input_tokens,
            total_completion_tokens=usage.output_tokens,
            total_cached_tokens=usage.cached_tokens,
            total_cost_usd=usage.reported_cost_usd,
            total_steps=len(steps),
        ),
        extra={"gymboard": _facts(episode)},
    )


def _step(line: StepLine, number: int, agent: TrajectoryAgent) -> TrajectoryStep:
    action = line.action
    call = _call(action, line.step)
    result = ObservationResult(source_call_id=call.tool_call_id if call else None, content=line.observation)
    return TrajectoryStep(
        step_id=number,
        timestamp=line.time,
        source="agent",
        model_name=line.calls[-1].model if line.calls else agent.model_name,
        message=action.thought,
        reasoning_content=action.reasoning or None,
        tool_calls=(call,) if call else None,
        observation=StepObservation(results=(result,)),
        metrics=_metrics(line.calls),
        llm_call_count=_call_count(line, agent),
        extra={"gymboard": _step_facts(line)},
    )


_ARGUMENTS = {"command", "path", "data", "tool", "arguments"}


def _call(action: Action, step: int) -> ToolCall | None:
    if action.kind == "none":
        return None
    name: str = action.kind
    arguments = action.model_dump(mode="json", exclude_defaults=True, include=_ARGUMENTS)
    if action.kind == "tool" and action.tool in TOOL_CLASSES:
        name, arguments = action.tool, dict(action.arguments)
    return ToolCall(tool_call_id=action.call_id or f"call-{step}", function_name=name, arguments=arguments)


def _metrics(calls: Sequence[ModelCall]) -> StepMetrics | None:
    if not calls:
        return None
    usage = total(tuple(calls))
    extra = {
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "calls": [call.index for call in calls],
        "retries": sum(call.retries for call in calls),
        "duration_s": round(sum(call.duration_s for call in calls), 6),
    }
    return StepMetrics(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cost_usd=usage.reported_cost_usd,
        extra=extra,
    )


def _call_count(line: StepLine, agent: TrajectoryAgent) -> int | None:
    """0 says that no model chose the action, and then there is no reasoning; None: an agent with a client of its own
    may have asked.
    """
    if line.calls:
        return len(line.calls)
    asked = line.by == "agent" and (agent.model_name is not None or bool(line.action.reasoning))
    return None if asked else 0


def _step_facts(line: StepLine) -> dict[str, Any]:
    facts: dict[str, Any] = {"by": line.by, "duration_s": line.duration_s, "exit_code": line.exit_code}
    if line.elapsed_s is not None:
        facts["elapsed_s"] = line.elapsed_s
    if line.action.kind == "none":
        facts["unread"] = line.action.command
    return facts


def _facts(episode: Episode) -> dict[str, Any]:
    return {
        "task": episode.task,
        "seed": episode.seed,
        "profile": episode.profile,
        "exit_status": episode.exit_status,
        "wall_s": episode.usage.wall_s,
        "attempts": [_attempt(attempt) for attempt in episode.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    facts: dict[str, Any] = {"index": attempt.index, "step": attempt.step, "kind": attempt.kind}
    for split in ("validation", "sealed"):
        if (verdict := getattr(attempt, split)) is not None:
            facts[split] = dict(verdict.metrics) if verdict.valid else {"invalid": verdict.invalid}
    return facts | ({"refused": attempt.refused} if attempt.refused else {})
