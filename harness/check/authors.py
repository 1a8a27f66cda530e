"""Rule of authors: whose artifacts an entry hands in.

Takes the entries that are on the board, gives the artifacts of this bundle that another submitter's entry has. A digest
is of names and bytes: one changed byte escapes it. It stops a payload from being entered again, not its ideas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.check.rule import Finding, Subject, rule
from harness.errors import SchemaError, VerificationError
from harness.schema.bundle import Bundle
from harness.schema.episode import Attempt
from harness.schema.task import ProfileName, TaskSpec
from harness.signing import BUNDLE
from harness.verify import read_bundle

SIGMAS = 3.0


@rule(
    "GB111",
    "own artifacts",
    "Hand in what your own agent made. Two people can write the same few lines: then say so in the pull request.",
)
def own_artifacts(subject: Subject) -> Iterator[Finding]:
    """No artifact better than its baseline is one that another submitter's entry on the board hands in."""
    if subject.board is None:
        return
    others = _handed_in(subject.board, subject.bundle.submitter)
    for number, episode, spec in subject.known:
        for attempt in episode.attempts:
            if (episode.task, attempt.artifact_sha256) in others and _gains(attempt, spec, episode.profile):
                owner = others[episode.task, attempt.artifact_sha256]
                where = f"episodes[{number}].attempts[{attempt.index}].artifact_sha256"
                yield where, f"is of {owner}, another submitter's entry, for {episode.task}"
                break


def _handed_in(board: Path, submitter: str) -> Mapping[tuple[str, str | None], str]:
    """(task, digest) -> the entry on the board that has it. An entry that cannot be read owns nothing."""
    found: dict[tuple[str, str | None], str] = {}
    for file in sorted(board.glob(f"*/{BUNDLE}")):
        try:
            bundle = Bundle.from_json(read_bundle(file.parent), subject=str(file))
        except (SchemaError, VerificationError):
            continue
        handed = {(one.task, attempt.artifact_sha256) for one in bundle.episodes for attempt in one.attempts}
        if bundle.submitter != submitter:
            found |= dict.fromkeys(handed, bundle.entry.id)
    return {key: owner for key, owner in found.items() if key[1] is not None}


def _gains(attempt: Attempt, spec: TaskSpec, profile: ProfileName) -> bool:
    """Whether it is better than the baseline, by the entry's own claim: whoever claims less fails in the regrade. What
    is not, such as an untouched starter's, is anybody's; scoring/sql/copies.sql has the same rule for regraded values.
    """
    baseline = spec.baseline(profile) or spec.baseline(profile, "upstream")
    value = attempt.sealed.metrics.get(spec.metric.name) if attempt.sealed else None
    if value is None or attempt.sealed is None:
        return False
    if baseline is None:
        return True
    margin = max(SIGMAS * attempt.sealed.stderr.get(spec.metric.name, 0.0), baseline.tolerance or 0.0)
    return (value - baseline.value) * (1 if spec.metric.direction == "max" else -1) > margin
