"""The rule of aids: what an agent was given beyond the task stands in the bundle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.check.rule import Finding, Subject, rule
from harness.schema.episode import ActionClass

NEEDS: Mapping[ActionClass, str] = {"Memory": "memory", "Literature": "literature"}


@rule(
    "GB311",
    "declared aids",
    "Run again with --memory or --literature; an agent that calls tools which its run does not have cannot be entered.",
)
def aids_declared(subject: Subject) -> Iterator[Finding]:
    """A bundle whose agent called a tool of memory or of literature declares it."""
    declares = subject.bundle.declares or ()
    for number, episode in enumerate(subject.bundle.episodes):
        for action, word in NEEDS.items():
            if episode.actions.get(action) and word not in declares:
                yield f"episodes[{number}].actions.{action}", f"counts calls, but the bundle does not declare {word}"
    if "memory-shared" in declares and "memory" not in declares:
        yield "declares", "says memory-shared without memory"
