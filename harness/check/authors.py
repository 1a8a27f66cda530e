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
from harness.signing import BUNDLE
from harness.verify import read_bundle

BOARD_OWN = ("gymboard", "baseline")
"""Submitter and agent of the board's own run of the untouched starters: what it hands in is anybody's."""


@rule(
    "GB111",
    "own artifacts",
    "Hand in what your own agent made. Two people can write the same few lines: then say so in the pull request.",
)
def own_artifacts(subject: Subject) -> Iterator[Finding]:
    """No artifact is one that another submitter's entry on the board hands in; the starters' own are anybody's."""
    if subject.board is None:
        return
    others = _handed_in(subject.board, subject.bundle.submitter)
    for number, episode in enumerate(subject.bundle.episodes):
        for attempt in episode.attempts:
            if (episode.task, attempt.artifact_sha256) in others:
                owner = others[episode.task, attempt.artifact_sha256]
                where = f"episodes[{number}].attempts[{attempt.index}].artifact_sha256"
                yield where, f"is of {owner}, another submitter's entry, for {episode.task}"
                break


def _handed_in(board: Path, submitter: str) -> Mapping[tuple[str, str | None], str]:
    """(task, digest) -> the entry on the board that has it. An entry that cannot be read owns nothing."""
    found: dict[tuple[str, str | None], str] = {}
    anybodys: set[tuple[str, str | None]] = set()
    for file in sorted(board.glob(f"*/{BUNDLE}")):
        try:
            bundle = Bundle.from_json(read_bundle(file.parent), subject=str(file))
        except (SchemaError, VerificationError):
            continue
        handed = {(one.task, attempt.artifact_sha256) for one in bundle.episodes for attempt in one.attempts}
        if (bundle.submitter, bundle.entry.agent) == BOARD_OWN:
            anybodys |= handed
        elif bundle.submitter != submitter:
            found |= dict.fromkeys(handed, bundle.entry.id)
    return {key: owner for key, owner in found.items() if key not in anybodys and key[1] is not None}
