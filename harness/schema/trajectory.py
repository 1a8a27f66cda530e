"""Trajectory: an episode's steps in ATIF v1.8, Harbor's Agent Trajectory Interchange Format.

What ATIF has no place for (task, seed, exit status, scores, wall time) lies under `extra.gymboard`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from harness.schema.base import Record


class ToolCall(Record):
    """One call that the agent made."""

    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    extra: dict[str, Any] | None = None


class ObservationResult(Record):
    """What one call gave back."""

    source_call_id: str | None = None
    content: str | None = None
    extra: dict[str, Any] | None = None


class StepObservation(Record):
    """What the environment answered in a step."""

    results: tuple[ObservationResult, ...]


class StepMetrics(Record):
    """Tokens and cost of a step, by the provider's own counts."""

    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)
    cached_tokens: int | None = Field(default=None, ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    extra: dict[str, Any] | None = None


class TrajectoryStep(Record):
    """One message, with the calls it made and what came back."""

    step_id: int = Field(ge=1)
    timestamp: str | None = None
    source: Literal["system", "user", "agent"]
    model_name: str | None = None
    message: str
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    observation: StepObservation | None = None
    metrics: StepMetrics | None = None
    llm_call_count: int | None = Field(default=None, ge=0, description="0: no model chose it; absent: not known")
    extra: dict[str, Any] | None = None


class TrajectoryAgent(Record):
    """Who acted."""

    name: str
    version: str
    model_name: str | None = None
    tool_definitions: tuple[dict[str, Any], ...] | None = None
    extra: dict[str, Any] | None = None


class FinalMetrics(Record):
    """Sums over the trajectory."""

    total_prompt_tokens: int | None = Field(default=None, ge=0)
    total_completion_tokens: int | None = Field(default=None, ge=0)
    total_cached_tokens: int | None = Field(default=None, ge=0)
    total_cost_usd: float | None = Field(default=None, ge=0)
    total_steps: int | None = Field(default=None, ge=0)


class Trajectory(Record):
    """The whole document."""

    schema_version: Literal["ATIF-v1.8"]
    session_id: str
    trajectory_id: str | None = None
    agent: TrajectoryAgent
    steps: tuple[TrajectoryStep, ...] = Field(min_length=1)
    notes: str | None = None
    final_metrics: FinalMetrics | None = None
    extra: dict[str, Any] | None = None
