"""Audit notes beside MLGym's published values: mlgym_audit.toml -> notes of one bundle.

Takes upstream's model name and its episodes, gives a note for each listed value that is really in the data.
Never changes or drops a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from importlib.resources import files

from pydantic import Field

from harness.schema.base import KebabId, Record
from harness.schema.bundle import AuditNote
from harness.schema.episode import Count, Episode


class Finding(Record):
    """One known-invalid published value, or several with one cause. No model or seed: wherever the value occurs."""

    task: KebabId
    model: str | None = None
    seed: Count | None = None
    metric: str
    values: tuple[float, ...] = Field(min_length=1)
    finding: str
    evidence: str


class Findings(Record):
    """The whole file."""

    findings: tuple[Finding, ...]


def load_findings() -> tuple[Finding, ...]:
    """The findings that ship with the importer."""
    text = files("harness.importers").joinpath("mlgym_audit.toml").read_text(encoding="utf-8")
    return Findings.from_toml(text, subject="mlgym_audit.toml").findings


def audit_notes(model: str, episodes: Iterable[Episode]) -> tuple[AuditNote, ...]:
    """One note for each (episode, value) that a finding names and the data has."""
    every = tuple(episodes)
    return tuple(
        AuditNote(
            task=finding.task,
            seed=episode.seed,
            metric=finding.metric,
            value=value,
            finding=finding.finding,
            evidence=finding.evidence,
        )
        for finding in load_findings()
        if finding.model in (None, model)
        for episode in every
        if episode.task == finding.task and finding.seed in (None, episode.seed)
        for value in finding.values
        if _has(episode, finding.metric, value)
    )


def _has(episode: Episode, metric: str, value: float) -> bool:
    """Equal to ten digits: a finding may be known from print only."""
    published = (attempt.published or {} for attempt in episode.attempts)
    return any(metric in p and math.isclose(p[metric], value, rel_tol=1e-10, abs_tol=0.0) for p in published)
