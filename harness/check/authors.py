"""Rule of authors: whose artifacts an entry hands in.

Takes the entries that are on the board, gives the artifacts of this bundle that another submitter's entry has. A digest
is of names and bytes: one changed byte escapes it. It stops a payload from being entered again, not its ideas. What
such an artifact is worth is for the board's own regrade of the other entry to say, and never for this bundle.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.check.rule import Finding, Subject, rule
from harness.errors import SchemaError, VerificationError
from harness.ledger_file import verdicts_about
from harness.schema.bundle import Bundle
from harness.schema.episode import Attempt, Verdict
from harness.schema.gain import margin
from harness.schema.task import ProfileName, TaskSpec
from harness.signing import BUNDLE
from harness.verify import read_bundle


@dataclass(frozen=True)
class _Owner:
    """Another submitter's entry on the board."""

    entry: str
    bundle_sha256: str
    profile: ProfileName


Key = tuple[str, str]
"""A task and an artifact's digest."""


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
            key = (episode.task, attempt.artifact_sha256 or "")
            if key not in others:
                continue
            owners = [owner for owner in others[key] if owner.profile == episode.profile]
            if _gains(subject.board, owners, key, attempt, spec, episode.profile):
                where = f"episodes[{number}].attempts[{attempt.index}].artifact_sha256"
                yield where, f"is of {others[key][0].entry}, another submitter's entry, for {episode.task}"
                break


def _handed_in(board: Path, submitter: str) -> Mapping[Key, Sequence[_Owner]]:
    """Who on the board has which artifact. An entry that cannot be read owns nothing."""
    found: dict[Key, list[_Owner]] = defaultdict(list)
    for file in sorted(board.glob(f"*/{BUNDLE}")):
        try:
            data = read_bundle(file.parent)
            bundle = Bundle.from_json(data, subject=str(file))
        except (SchemaError, VerificationError):
            continue
        if bundle.submitter == submitter:
            continue
        owner = _Owner(bundle.entry.id, hashlib.sha256(data).hexdigest(), bundle.profile)
        handed = {(one.task, attempt.artifact_sha256) for one in bundle.episodes for attempt in one.attempts}
        for task, artifact in handed:
            if artifact is not None:
                found[task, artifact].append(owner)
    return found


def _gains(board: Path, owners: Sequence[_Owner], key: Key, claiming: Attempt, spec: TaskSpec, of: ProfileName) -> bool:
    """Whether the very bytes are better than the baseline of profile `of`: as the board measured them, by the board's
    own rule; where nobody has measured them, by the claim, whose error counts nothing. What is no better, such as an
    untouched starter's, is anybody's."""
    name, baseline = spec.metric.name, spec.baseline(of) or spec.baseline(of, "upstream")
    measured = _measured(board, owners, key)
    found = measured or claiming.sealed
    if found is None or name not in found.metrics:
        return False
    if baseline is None:
        return True
    needed = margin(spec, measured.stderr.get(name, 0.0) if measured else 0.0)
    needed = needed if measured else max(needed, baseline.tolerance or 0.0)
    return spec.metric.sign * (found.metrics[name] - baseline.value) > needed


def _measured(board: Path, owners: Sequence[_Owner], key: Key) -> Verdict | None:
    """What the board's own regrade of an owner's entry found for these bytes."""
    for owner in owners:
        for found in verdicts_about(board, owner.bundle_sha256):
            if (found.task, found.artifact_sha256) == key and found.verdict.split == "sealed":
                return found.verdict
    return None
