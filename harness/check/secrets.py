"""The rule of secrets: no packed log and no word of the record holds a key, a token, or what names a person.

Takes the logs out of the payload and the record itself, looks for the very patterns that the packer scrubs. Never
prints what it found, only the kind and how often; what has no known shape it cannot see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.check.rule import Finding, Subject, rule
from harness.payload import LOGS, part_name, read_logs
from harness.schema.episode import Episode
from harness.scrub import log_findings

MAX_LOG_BYTES = 64 << 20


@rule(
    "GB310",
    "no secrets",
    "Pack the run again with this harness, which scrubs them; withdraw every key that was in there.",
)
def no_secrets(subject: Subject) -> Iterator[Finding]:
    """No packed log of at most 64 MiB, and no word of bundle.json, holds an API key, a token, a password, a private
    key, an e-mail address or a home path: neither in plain text nor in base64, percent-encoded, with escapes, or as a
    token that a line's end goes through.
    """
    if found := log_findings("bundle.json", subject.bundle.canonical()):
        yield "(document)", _said(found)
    if subject.held is None:
        return
    numbers = {episode.key: number for number, episode in enumerate(subject.bundle.episodes)}
    for part in subject.bundle.payload:
        mine = {episode.key: episode for episode in subject.bundle.episodes if part_name(episode.task) == part.name}
        for log in LOGS:
            yield from _in_part(subject, part.name, log, mine, numbers)


def _in_part(
    subject: Subject, part: str, log: str, episodes: dict[str, Episode], numbers: dict[str, int]
) -> Iterator[Finding]:
    for key, data in read_logs(subject.folder / part, episodes, log, MAX_LOG_BYTES):
        if data and (found := log_findings(log, data)):
            yield f"episodes[{numbers[key]}]", f"{log} in the payload {_said(found)}"


def _said(found: Counter[str]) -> str:
    return "holds " + ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
