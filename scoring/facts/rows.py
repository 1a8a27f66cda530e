"""One bundle and our verdicts -> rows of the five tables of a segment.

Takes records, gives tuples in the order of the columns. Never judges: a task or a metric that no board knows has rows
like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.schema.plain import Tree
from scoring.facts.columns import ACTIONS, MEASURED, USAGE
from scoring.ledger import RegradeVerdict

Row = tuple[Any, ...]
_NOTE = ("task", "seed", "metric", "value", "finding", "evidence")
_ABOUT = ("model", "model_label", "organization", "url", "open_weights", "date")
_MADE = ("profile", "sandbox", "suite_version", "harness_version", "created")
_CITATION = ("title", "url", "licence")
Found = Mapping[tuple[str, int, int, str | None], RegradeVerdict]


class Rows(NamedTuple):
    """Rows by table; every row begins with `local`, the entry's number in its segment."""

    entries: list[Row]
    episodes: list[Row]
    attempts: list[Row]
    baselines: list[Row]
    notes: list[Row]


def add_rows(
    rows: Rows, local: int, evidence: str, sha256: str, bundle: Tree, verdicts: Sequence[RegradeVerdict]
) -> None:
    """Append everything that one entry says."""
    found: Found = {
        (one.task, one.seed, one.attempt, one.artifact_sha256): one for one in verdicts if one.verdict.split == "sealed"
    }
    episodes = bundle["episodes"]
    rows.entries.append((local, evidence, len(episodes), *_entry(bundle, sha256)))
    baselines: dict[tuple[str, str, float], None] = {}
    for episode in episodes:
        regraded = _add_attempts(rows.attempts, local, episode, found)
        rows.episodes.append((local, *_episode(episode), regraded))
        for metric, value in (episode.get("published_baseline") or {}).items():
            baselines[episode["task"], metric, value] = None
    rows.baselines.extend((local, *key) for key in baselines)
    rows.notes.extend((local, *map(note.get, _NOTE)) for note in bundle.get("audit", ()))


def _entry(bundle: Tree, sha256: str) -> Row:
    entry, citation = bundle["entry"], bundle.get("citation") or {}
    who = (entry["id"], sha256, bundle["origin"], bundle["submitter"], entry["agent"], entry["agent_version"])
    return (*who, *map(entry.get, _ABOUT), *map(bundle.get, _MADE), *map(citation.get, _CITATION))


def _episode(episode: Tree) -> Row:
    actions, usage, attempts = episode.get("actions", {}), episode.get("usage", {}), episode.get("attempts", ())
    graded = sum(attempt["kind"] == "validate" for attempt in attempts)
    return (
        episode["task"],
        episode["seed"],
        episode["task_version"],
        episode["exit_status"],
        episode.get("started"),
        episode["steps"],
        max(graded, actions.get("Validate", 0)),
        episode.get("trace"),
        episode.get("variant"),
        episode.get("dataset"),
        *[actions.get(action, 0) for action in ACTIONS],
        *[usage.get(name, 0) for name in USAGE],
        *map(usage.get, MEASURED),
        len(attempts),
        bool(attempts and attempts[-1].get("artifact_sha256")),
    )


def _add_attempts(rows: list[Row], local: int, episode: Tree, found: Found) -> bool:
    """Append the rows; gives whether the last attempt has a regraded verdict."""
    attempts = episode.get("attempts", ())
    task, seed, end, regrade = episode["task"], episode["seed"], len(attempts) - 1, None
    for attempt in attempts:
        index, digest = attempt["index"], attempt.get("artifact_sha256")
        regrade = found.get((task, seed, index, digest)) if digest else None
        artifact = bytes.fromhex(digest) if digest else None
        head = (local, task, seed, index, attempt["step"], attempt["kind"], index == end, artifact)
        published, sealed, told = attempt.get("published"), attempt.get("sealed"), attempt.get("validation")
        if published is not None:
            rows.extend((*head, "published", name, value, None, None, None) for name, value in published.items())
        if sealed is not None:
            _add_verdict(rows, head, "claimed", sealed)
        elif attempt.get("refused") is not None:
            rows.append((*head, "claimed", None, None, None, None, attempt["refused"]))
        if told is not None:
            _add_verdict(rows, head, "validation", told)
        if regrade is not None:
            verdict = regrade.verdict
            _add_verdict(rows, head, "regraded", vars(verdict))
    return regrade is not None


def _add_verdict(rows: list[Row], head: Row, source: str, verdict: Tree) -> None:
    errors, n, invalid = verdict.get("stderr", {}), verdict.get("n"), verdict.get("invalid")
    if invalid is not None:
        rows.append((*head, source, None, None, None, n, invalid))
    for metric, value in verdict.get("metrics", {}).items():
        rows.append((*head, source, metric, value, errors.get(metric), n, None))
