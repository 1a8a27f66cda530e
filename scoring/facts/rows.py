"""One bundle and our verdicts -> rows of the five tables of a segment.

Takes records, gives tuples in the order of the columns. Never judges: a task or a metric that no board knows has rows
like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from harness.schema.bundle import Bundle
from harness.schema.episode import Episode, Verdict
from scoring.facts.columns import ACTIONS, MEASURED, USAGE
from scoring.ledger import RegradeVerdict

Row = tuple[Any, ...]
_used = attrgetter(*USAGE, *MEASURED)
Found = Mapping[tuple[str, int, int, str | None], RegradeVerdict]


class Rows(NamedTuple):
    """Rows by table; every row begins with `local`, the entry's number in its segment."""

    entries: list[Row]
    episodes: list[Row]
    attempts: list[Row]
    baselines: list[Row]
    notes: list[Row]


def add_rows(
    rows: Rows, local: int, evidence: str, sha256: str, bundle: Bundle, verdicts: Sequence[RegradeVerdict]
) -> None:
    """Append everything that one entry says."""
    found: Found = {
        (one.task, one.seed, one.attempt, one.artifact_sha256): one for one in verdicts if one.verdict.split == "sealed"
    }
    rows.entries.append((local, evidence, len(bundle.episodes), *_entry(bundle, sha256)))
    baselines: dict[tuple[str, str, float], None] = {}
    for episode in bundle.episodes:
        regraded = _add_attempts(rows.attempts, local, episode, found)
        rows.episodes.append((local, *_episode(episode), *regraded))
        for metric, value in (episode.published_baseline or {}).items():
            baselines[episode.task, metric, value] = None
    rows.baselines.extend((local, *key) for key in baselines)
    rows.notes.extend(
        (local, note.task, note.seed, note.metric, note.value, note.finding, note.evidence) for note in bundle.audit
    )


def _entry(bundle: Bundle, sha256: str) -> Row:
    entry, citation = bundle.entry, bundle.citation
    about = (entry.model, entry.model_label, entry.organization, entry.url, entry.open_weights, entry.date)
    made = (bundle.profile, bundle.sandbox, bundle.suite_version, bundle.harness_version, bundle.created)
    source = (citation.title, citation.url, citation.licence) if citation else (None, None, None)
    who = (entry.id, sha256, bundle.origin, bundle.submitter, entry.agent, entry.agent_version)
    return (*who, *about, *made, *source)


def _episode(episode: Episode) -> Row:
    actions, usage, last = episode.actions, episode.usage, episode.attempts[-1:]
    graded = sum(attempt.kind == "validate" for attempt in episode.attempts)
    return (
        episode.task,
        episode.seed,
        episode.task_version,
        episode.exit_status,
        episode.started,
        episode.steps,
        max(graded, actions.get("Validate", 0)),
        getattr(episode, "trace", None),
        *(actions.get(action, 0) for action in ACTIONS),
        *_used(usage),
        len(episode.attempts),
        bool(last and last[0].artifact_sha256),
    )


def _add_attempts(rows: list[Row], local: int, episode: Episode, found: Found) -> tuple[bool]:
    """Append the rows; gives whether the last attempt has a regraded verdict."""
    task, seed, end, regraded = episode.task, episode.seed, len(episode.attempts) - 1, False
    for attempt in episode.attempts:
        index, digest = attempt.index, attempt.artifact_sha256
        regrade = found.get((task, seed, index, digest)) if digest else None
        artifact = bytes.fromhex(digest) if digest else None
        head = (local, task, seed, index, attempt.step, attempt.kind, index == end, artifact)
        if attempt.published is not None:
            rows.extend(
                (*head, "published", name, value, None, None, None) for name, value in attempt.published.items()
            )
        if attempt.refused is not None and attempt.sealed is None:
            rows.append((*head, "claimed", None, None, None, None, attempt.refused))
        if attempt.sealed is not None:
            _add_verdict(rows, head, "claimed", attempt.sealed)
        if attempt.validation is not None:
            _add_verdict(rows, head, "validation", attempt.validation)
        if regrade is not None:
            _add_verdict(rows, head, "regraded", regrade.verdict)
        regraded = regrade is not None
    return (regraded,)


def _add_verdict(rows: list[Row], head: Row, source: str, verdict: Verdict) -> None:
    errors, n = verdict.stderr, verdict.n
    if verdict.invalid is not None:
        rows.append((*head, source, None, None, None, n, verdict.invalid))
    for metric, value in verdict.metrics.items():
        rows.append((*head, source, metric, value, errors.get(metric), n, None))
