"""Copies: a run that hands in an artifact which another submitter's run, included before it, had handed in.

Takes loaded entries and the season, gives a sentence for each copy. The digest is of names and bytes, so one changed
byte escapes it: it stops a published payload from being entered again, not its ideas. Artifacts that are no better
than the baseline are anybody's. Two submitters can write the same few lines: an entry named here is not ranked, and
appeals.
"""

from __future__ import annotations

from collections.abc import Iterator

from scoring.ledger import LedgerLine
from scoring.load import Loaded, Submissions
from scoring.yardstick import Season, TaskRule

SIGMAS = 3.0


def copies(loaded: Submissions, season: Season) -> dict[str, str]:
    """Entry -> whose artifact it hands in."""
    rules = {rule.id: rule for rule in season.tasks}
    first: dict[tuple[str, str], Loaded] = {}
    found: dict[str, str] = {}
    for one in _in_order(loaded):
        for task, digest in _gains(one, rules):
            owner = first.setdefault((task, digest), one).bundle
            if owner.submitter != one.bundle.submitter:
                why = f"hands in an artifact of {owner.entry.id}, another submitter's, for {task}"
                found.setdefault(one.bundle.entry.id, why)
    return found


def _in_order(loaded: Submissions) -> list[Loaded]:
    """The runs, by their first inclusion."""

    def included(one: Loaded) -> int:
        return min(line.sequence for line in loaded.ledger if _includes(line, one))

    return sorted((one for one in loaded.entries if one.bundle.origin == "run"), key=included)


def _includes(line: LedgerLine, one: Loaded) -> bool:
    return (line.kind, line.entry, line.bundle_sha256) == ("inclusion", one.bundle.entry.id, one.sha256)


def _gains(one: Loaded, rules: dict[str, TaskRule]) -> Iterator[tuple[str, str]]:
    """(task, digest) of every regraded artifact that is better than its task's baseline."""
    for found in one.verdicts:
        rule = rules.get(found.task)
        value = found.verdict.metrics.get(rule.metric) if rule else None
        if rule and value is not None and _beats(rule, value, found.verdict.stderr.get(rule.metric, 0.0)):
            yield found.task, found.artifact_sha256


def _beats(rule: TaskRule, value: float, stderr: float) -> bool:
    if rule.baseline is None:
        return True
    gain = value - rule.baseline if rule.direction == "max" else rule.baseline - value
    return gain > max(SIGMAS * stderr, (rule.noise or 0.0) * abs(rule.baseline))
