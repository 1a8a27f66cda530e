"""Rule: one rule of the board with its code, and the register of all of them.

Takes a Subject (bundle, folder, tasks), gives Problems whose message begins with the rule's code and ends with the
anchor of its explanation. Rules look; they never change, fetch or execute anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import Problem
from harness.payload import AttemptKey
from harness.schema.bundle import Bundle
from harness.schema.episode import Episode
from harness.schema.task import TaskSpec

PAGE = "rules-codes.md"
OFFICIAL_SEEDS = (0, 1, 2, 3)

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Subject:
    """What a rule looks at. `held`: the attempts whose artifacts the payload holds; None when it cannot be read.
    `board`: the folder of the entries that are on the board; None where nobody said it.
    """

    folder: Path
    bundle: Bundle
    tasks: Mapping[str, TaskSpec]
    task_folders: Path
    season: tuple[str, ...]
    held: frozenset[AttemptKey] | None
    board: Path | None = None

    @property
    def known(self) -> Iterator[tuple[int, Episode, TaskSpec]]:
        """Every episode whose task is known, with its place in the bundle."""
        for number, episode in enumerate(self.bundle.episodes):
            if episode.task in self.tasks:
                yield number, episode, self.tasks[episode.task]


Finding = tuple[str, str]
"""(path into the document, what is wrong)."""


@dataclass(frozen=True)
class Rule:
    """`sentence` is the rule itself; `remedy` what to do about it; `imports`: whether it holds for imports too."""

    code: str
    name: str
    sentence: str
    remedy: str
    severity: Severity
    imports: bool
    find: Callable[[Subject], Iterable[Finding]]

    @property
    def anchor(self) -> str:
        return f"{PAGE}#{self.code.lower()}"

    def problems(self, subject: Subject) -> list[Problem]:
        return [self.problem(path, what) for path, what in self.find(subject)]

    def problem(self, path: str, what: str) -> Problem:
        return Problem(path, f"{self.code} {what} ({self.anchor})", self.severity)


RULES: dict[str, Rule] = {}


def rule(
    code: str, name: str, remedy: str, *, severity: Severity = "error", imports: bool = False
) -> Callable[[Callable[[Subject], Iterable[Finding]]], Rule]:
    """Register a rule under its code; its sentence is the function's docstring.

    Raises ValueError when the code is taken: codes are never used again.
    """

    def register(find: Callable[[Subject], Iterable[Finding]]) -> Rule:
        if code in RULES:
            raise ValueError(f"rule {code} is there twice")
        sentence = " ".join((find.__doc__ or "").split())
        RULES[code] = Rule(code, name, sentence, remedy, severity, imports, find)
        return RULES[code]

    return register
