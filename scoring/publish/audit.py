"""Audit notes as a reader meets them: equal findings of one entry and task said once, with all their values.

Takes rows, gives findings in the order of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.schema.bundle import AuditNote
from scoring.leaderboard import Row


class Finding(NamedTuple):
    """What was found about values of one entry on one task. `seeds` is empty where the note names none."""

    row: Row
    task: str
    metric: str
    finding: str
    evidence: str
    seeds: tuple[int, ...]
    values: tuple[float, ...]


def audit_findings(rows: Iterable[Row], task: str | None = None) -> list[Finding]:
    """Every finding about the rows, or about their values on one task."""
    return [
        finding
        for row in rows
        if row.kind != "baseline"
        for finding in _of(row, [note for note in row.notes if task in (None, note.task)])
    ]


def _of(row: Row, notes: list[AuditNote]) -> list[Finding]:
    groups: dict[tuple[str, str, str, str], list[AuditNote]] = {}
    for note in notes:
        groups.setdefault((note.task, note.metric, note.finding, note.evidence), []).append(note)
    return [
        Finding(
            row,
            *said,
            seeds=tuple(sorted({note.seed for note in group if note.seed is not None})),
            values=tuple(sorted({note.value for note in group}, reverse=True)),
        )
        for said, group in groups.items()
    ]
