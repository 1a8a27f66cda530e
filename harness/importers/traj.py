"""One published MLGym trajectory (.traj, JSON) as records.

Takes the file's bytes, gives steps with the published score beside each validation, or a SchemaError with the path of
every fault. The texts are verbatim and hostile: whoever shows them cleans them first. Never touches network or files.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from harness.errors import Problem, SchemaError
from harness.schema.base import Record
from harness.schema.episode import Usage

Scores = dict[str, float]

_BASELINE = re.compile(r"^Baseline Score: \{(.*)\}\s*$", re.MULTILINE)
_PAIR = re.compile(r"'([^']+)': (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
_SCORED = "Evaluation Score:"


class TrajStep(Record):
    """One action of the agent and what it saw. `scores`: what upstream's grader said of the artifact at this step."""

    number: int = Field(ge=1)
    thought: str
    action: str
    observation: str
    duration_s: float = Field(ge=0)
    scores: Scores | None = None


class PublishedEpisode(Record):
    """A whole trajectory. `final`: the score of an artifact that was handed in after the last step, by upstream."""

    steps: tuple[TrajStep, ...] = Field(min_length=1)
    baseline: Scores | None
    final: Scores | None
    exit_status: str
    usage: Usage


class _Upstream(Record):
    """Upstream's file has more keys than are read here."""

    model_config = ConfigDict(extra="ignore")


_Text = Annotated[str, BeforeValidator(lambda text: "" if text is None else text)]
"""Upstream writes null where a step has no such text."""


class _Step(_Upstream):
    thought: _Text = ""
    action: _Text
    observation: _Text
    execution_time: Annotated[float, Field(ge=0)] = 0.0


class _ModelStats(_Upstream):
    total_cost: Annotated[float, Field(ge=0)]
    tokens_sent: Annotated[int, Field(ge=0)]
    tokens_received: Annotated[int, Field(ge=0)]
    api_calls: Annotated[int, Field(ge=0)]


class _Info(_Upstream):
    exit_status: str | None
    score: list[Scores] = []
    model_stats: _ModelStats


class Document(_Upstream):
    """A .traj as upstream writes it, as far as anything here reads it."""

    trajectory: Annotated[list[_Step], Field(min_length=1)]
    info: _Info

    @property
    def usage(self) -> Usage:
        stats = self.info.model_stats
        return Usage(
            input_tokens=stats.tokens_sent,
            output_tokens=stats.tokens_received,
            api_calls=stats.api_calls,
            reported_cost_usd=stats.total_cost,
        )


def read_traj(data: bytes, subject: str = "trajectory") -> PublishedEpisode:
    """Parse one .traj file. Raises SchemaError when it is truncated, malformed, or its scores do not fit its steps."""
    document = Document.from_json(data, subject)
    scored = [_validated(step) for step in document.trajectory]
    left = len(document.info.score) - sum(scored)
    if left not in (0, 1):
        found = f"{len(document.info.score)} scores for {sum(scored)} scored validations"
        raise SchemaError(subject, [Problem("info.score", f"{found}; expected as many, or one more at the end")])
    scores = iter(document.info.score)
    steps = tuple(
        _step(number, step, next(scores) if has_score else None)
        for number, (step, has_score) in enumerate(zip(document.trajectory, scored, strict=True), start=1)
    )
    return PublishedEpisode(
        steps=steps,
        baseline=_baseline(document.trajectory),
        final=next(scores, None),
        exit_status=document.info.exit_status or "none recorded",
        usage=document.usage,
    )


def _validated(step: _Step) -> bool:
    return "validate" in step.action and _SCORED in step.observation


def _step(number: int, step: _Step, scores: Scores | None) -> TrajStep:
    texts: dict[str, Any] = {name: getattr(step, name).strip() for name in ("thought", "action", "observation")}
    return TrajStep(number=number, duration_s=step.execution_time, scores=scores, **texts)


def _baseline(steps: list[_Step]) -> Scores | None:
    """The baseline as the first scored validation prints it; the trajectory has it nowhere else."""
    for step in steps:
        if _validated(step) and (line := _BASELINE.search(step.observation)):
            return {name: float(value) for name, value in _PAIR.findall(line.group(1))}
    return None
