"""The exception tree. Every error says what was asked, what was found and what to do next.

GymboardError                 exit code 1
├── UsageError                exit code 2: the call's words are wrong
├── ProblemsError             a list of Problem; printed one a line
│   ├── SchemaError           a document does not fit its schema
│   └── CheckError            a bundle breaks a rule of the board
├── DataError                 a dataset is missing, unreachable, or not the bytes it should be
├── ImageError                an image or environment cannot be built or found
├── SandboxError              the place where code runs failed (never the code that ran in it)
│   └── EngineUnavailable     no container engine answers
├── InvalidArtifact           what the agent left is refused; the attempt is invalid, the episode goes on
├── GradingError              our own grader failed; the attempt stays ungraded, never scored
├── SubmitError               the pull request could not be made; says whether calling again goes on
└── VerificationError         a signature or a digest does not hold; names the check that failed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    """One fault: where it is (a path into the document) and what is wrong, printed as `error: path: message`."""

    path: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.severity}: {self.path}: {self.message}"


class GymboardError(Exception):
    """Base of everything Gymboard raises on purpose."""

    exit_code = 1


class UsageError(GymboardError):
    """The call's words are wrong."""

    exit_code = 2


class ProblemsError(GymboardError):
    """Raised with every problem found, never only the first."""

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__("\n".join([f"{subject}: {len(self.problems)} problem(s)", *map(str, self.problems)]))


class SchemaError(ProblemsError):
    """A document does not fit its schema."""


class CheckError(ProblemsError):
    """A bundle breaks a rule of the board."""


class DataError(GymboardError):
    """A dataset is missing, unreachable, or not the bytes it should be."""


class ImageError(GymboardError):
    """An image or environment cannot be built or found."""


class SandboxError(GymboardError):
    """The place where code runs failed, never the code that ran in it."""


class EngineUnavailable(SandboxError):
    """No container engine answers."""


class InvalidArtifact(GymboardError):
    """What the agent left is refused: the attempt is invalid, the episode goes on."""


class GradingError(GymboardError):
    """Our own grader failed: the attempt stays ungraded, never scored."""


class SubmitError(GymboardError):
    """The pull request could not be made. Nothing has to be cleaned up: what was done is found by the next call."""


class VerificationError(GymboardError):
    """`check` is the short name of the check that failed, e.g. "signature" or "payload digest"."""

    def __init__(self, check: str, message: str) -> None:
        self.check = check
        super().__init__(f"{check}: {message}")
