"""Rules of counter-signatures: whose statement counts that another's entry was repeated, and about which runs.

An entry without countersign.json has nothing to do with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.check.rule import Finding, Subject, rule
from harness.countersign import STATEMENT, refusals


def _found(subject: Subject, code: str) -> Iterator[Finding]:
    folder = subject.folder.resolve()
    return ((STATEMENT, what) for found, what in refusals(folder, folder.parent) if found == code)


@rule("GB501", "counter-signature: form", "Make it again with `gymboard countersign`, after packing and signing.")
def form(subject: Subject) -> Iterator[Finding]:
    """A counter-signature is a canonical statement with its own signature, about exactly the bundle beside it."""
    return _found(subject, "GB501")


@rule(
    "GB502",
    "counter-signature: listed party",
    "Sign with a key that submissions/parties.toml lists for you; to be listed, open an issue.",
)
def listed(subject: Subject) -> Iterator[Finding]:
    """A counter-signature is by a listed second party, with one of its listed keys, in the namespace of its own."""
    return _found(subject, "GB502")


@rule("GB503", "counter-signature: the original", "Counter-sign the bytes that are on the board now.")
def original(subject: Subject) -> Iterator[Finding]:
    """A counter-signature names the exact bytes of an entry that lies among the board's entries."""
    return _found(subject, "GB503")


@rule("GB504", "counter-signature: a second party", "Let somebody else run your agent; nobody reproduces herself.")
def second_party(subject: Subject) -> Iterator[Finding]:
    """Nobody counter-signs her own entry: submitter and key are others than the original's, and the run is hers."""
    return _found(subject, "GB504")


@rule(
    "GB505",
    "counter-signature: the same agent, another run",
    "Run the original's agent and model, in its profile, on all of its tasks, and pack that run.",
)
def another_run(subject: Subject) -> Iterator[Finding]:
    """The run beside a counter-signature is of the original's agent, version, model and profile, has every episode
    of it, and shares no part of its payload.
    """
    return _found(subject, "GB505")
