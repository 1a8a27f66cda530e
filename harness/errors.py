"""The exception tree. Every error says what was asked, what was found and what to do next.

GymboardError                 exit code 1
├── UsageError                exit code 2: the call's words are wrong
├── ProblemsError             a list of Problem; printed one a line
│   ├── SchemaError           a document does not fit its schema
│   └── CheckError            a bundle breaks a rule of the board
├── DataError                 a dataset is missing, unreachable, or not the bytes it should be
├── ImageError                an image or environment cannot be built or found
├── SandboxError              the place where code runs failed (never the code that ran in it)
│   ├── StillRunning          a program was told to stand still, and one of its processes goes on within the kernel
│   └── PlaceLost             the machine took a place away; nothing was decided by it, what ran there is played again
│       ├── EngineUnavailable no container engine answers, after waiting for one that may come back
│       └── NoRoom            too little disk or memory is free to start a container
├── InvalidArtifact           what the agent left is refused; the attempt is invalid, the episode goes on
├── EpisodeOver               a limit or a fault ends the episode; its status says which
│   ├── RunSpent              the run's cost limit is reached, not the episode's own
│   ├── ContextOverflow       the model refused a request as too long; nothing was paid, a shorter one may be tried
│   └── RequestRefused        the model's provider refused a request as faulty; nothing was paid
├── Abandoned                 an episode is left by who played it, or its run is told to end; it stays unfinished
├── ModelUnavailable          the model cannot be had; the episode stays unfinished and can be resumed
├── GradingError              our own grader failed; the attempt stays ungraded, never scored
├── SubmitError               the pull request could not be made; says whether calling again goes on
└── VerificationError         a signature or a digest does not hold; names the check that failed
"""

from __future__ import annotations

import os
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


def in_words(error: BaseException, about: object = None) -> str:
    """What an error says; the system's as what was touched and why not, without its number. `about`: what the sentence
    names already."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    touched = [str(name) for name in (error.filename, error.filename2) if isinstance(name, str | os.PathLike)]
    return ": ".join([*([" -> ".join(touched)] if touched and touched != [str(about)] else []), error.strerror])


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


class StillRunning(SandboxError):
    """A program was told to stand still and did not: one of its processes goes on within the kernel."""


class PlaceLost(SandboxError):
    """The machine took a place away: its engine ended, or somebody else ended the container. It says nothing about the
    code that ran there: an episode goes on from what is on disk, a grade is made again."""


class EngineUnavailable(PlaceLost):
    """No container engine answers."""


class NoRoom(PlaceLost):
    """Too little disk or memory is free to start a container."""


class InvalidArtifact(GymboardError):
    """What the agent left is refused: the attempt is invalid, the episode goes on."""


class Abandoned(GymboardError):
    """Whoever played an episode from outside has left it, or its run is to end: it stays unfinished, nothing is
    graded."""


class ModelUnavailable(GymboardError):
    """The model cannot be had: a wrong key, no quota, no connection. Nobody's score: `--resume` goes on."""


class GradingError(GymboardError):
    """Our own grader failed: the attempt stays ungraded, never scored."""


OverStatus = Literal["cost", "context", "format", "wall_time", "runtime"]


class EpisodeOver(GymboardError):
    """`status` is the episode's exit status."""

    def __init__(self, status: OverStatus, message: str) -> None:
        self.status = status
        super().__init__(message)


class ContextOverflow(EpisodeOver):
    """The request was longer than the model's context window."""

    def __init__(self, message: str) -> None:
        super().__init__("context", message)


class RequestRefused(EpisodeOver):
    """The provider refused the request as faulty. An agent of ours never asks so; a program behind the gateway may."""

    def __init__(self, message: str) -> None:
        super().__init__("runtime", message)


class RunSpent(EpisodeOver):
    """The next call could pass the run's cost limit."""

    def __init__(self, message: str) -> None:
        super().__init__("cost", message)


class SubmitError(GymboardError):
    """The pull request could not be made. Nothing has to be cleaned up: what was done is found by the next call."""


class VerificationError(GymboardError):
    """`check` is the short name of the check that failed, e.g. "signature" or "payload digest"."""

    def __init__(self, check: str, message: str) -> None:
        self.check = check
        super().__init__(f"{check}: {message}")
