"""One published MLGym run -> one Episode.

Takes the parsed results.json and the .traj as harness.importers.traj reads it, gives the record. Never guesses: a score
is tied to the action that made it only when the observations account for every score, in order and in value; otherwise
its kind is "unknown", its step 0.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import DataError
from harness.importers.traj import Document
from harness.schema.base import Record
from harness.schema.episode import ActionClass, Attempt, Episode, ExitStatus, MetricName, Usage, counted, traced

_PRINTED = re.compile(r"^Evaluation Score: (\{[^{}]*\})\s*$", re.MULTILINE)
_EXITS: dict[str, ExitStatus] = {
    "submitted": "success",
    "autosubmission (max_steps)": "max_steps",
    "autosubmission (exit_cost)": "cost",
    "autosubmission (exit_format)": "format",
    "autosubmission (exit_context)": "context",
    "": "runtime",
}
_FAULTS: tuple[tuple[str, ExitStatus], ...] = (
    ("evaluation_format_error", "evaluation_error"),
    ("submission_not_found", "evaluation_error"),
    ("unknown_error", "runtime"),
)
_FINAL = frozenset({"submitted"} | {text for text in _EXITS if text.startswith("autosubmission")})
_CLASSES: dict[str, ActionClass] = {
    **dict.fromkeys(("edit", "insert", "create"), "Edit"),
    **dict.fromkeys(("open", "goto", "scroll_up", "scroll_down"), "View"),
    **dict.fromkeys(("search_file", "search_dir", "find_file"), "Search"),
    **dict.fromkeys(("python", "python3", "torchrun"), "Python"),
    **dict.fromkeys(("memory_read", "memory_write"), "Memory"),
    **dict.fromkeys(("literature_search", "parse_pdf_url", "download_pdf"), "Literature"),
    "validate": "Validate",
    "submit": "Submit",
}


@dataclass(frozen=True)
class Action:
    """One step, reduced: its first word, and the score that its observation printed."""

    word: str
    printed: str | None


@dataclass(frozen=True)
class FinishedRun:
    """What the figures need of a .traj."""

    actions: tuple[Action, ...]
    exit_text: str
    usage: Usage

    @property
    def classes(self) -> tuple[ActionClass | None, ...]:
        """The class of each step of the agent, by upstream's rule: the first word alone, and `ls` is Bash.

        Upstream also writes its own exit_cost, exit_format, ... as a last action: none of the agent's.
        """
        mine = (action.word for action in self.actions if not action.word.startswith("exit_"))
        return tuple(_CLASSES.get(word, "Bash") if word else None for word in mine)

    @property
    def steps(self) -> int:
        return len(self.classes)

    @classmethod
    def of(cls, document: Document) -> FinishedRun:
        """Reduce a .traj."""
        steps = tuple(_action(step.action, step.observation) for step in document.trajectory)
        return cls(steps, document.info.exit_status or "", document.usage)


class Results(Record):
    """A results.json: every score in order, and the baseline that the run stored."""

    agent: tuple[dict[MetricName, float], ...]
    baseline: dict[MetricName, float]


def read_run(task: str, seed: int, results: Results, run: FinishedRun | None) -> Episode:
    """The episode of one run; `run` None: upstream published its results only."""
    status, detail = _exit(run)
    return Episode(
        task=task,
        task_version="1.0.0",
        profile="official",
        seed=seed,
        exit_status=status,
        exit_detail=detail,
        steps=run.steps if run else 0,
        actions=counted(run.classes) if run else {},
        trace=traced(run.classes) if run else None,
        attempts=_attempts(results.agent, run),
        usage=run.usage if run else Usage(),
        published_baseline=results.baseline,
    )


def _action(action: str, observation: str) -> Action:
    words = action.split(maxsplit=1)
    printed = _PRINTED.findall(observation)
    return Action(words[0] if words else "", printed[-1] if printed and words and words[0] == "validate" else None)


def _exit(run: FinishedRun | None) -> tuple[ExitStatus, str | None]:
    if run is None:
        return "unknown", "upstream published no trajectory of this run"
    return exit_of(run.exit_text)


def exit_of(text: str) -> tuple[ExitStatus, str | None]:
    """Our word for upstream's, and upstream's own. Raises DataError on one that is not known."""
    if text in _EXITS:
        return _EXITS[text], text or "upstream recorded no exit status"
    for start, status in _FAULTS:
        if text.startswith(start):
            return status, text
    raise DataError(f"unknown exit status {text!r}; teach harness.importers.mlgym_traj what it means")


def _attempts(scores: Sequence[dict[str, float]], run: FinishedRun | None) -> tuple[Attempt, ...]:
    places = _places(scores, run) or [("unknown", 0)] * len(scores)
    return tuple(
        Attempt.model_validate({"index": index, "step": step, "kind": kind, "published": score})
        for index, (score, (kind, step)) in enumerate(zip(scores, places, strict=True))
    )


def _places(scores: Sequence[dict[str, float]], run: FinishedRun | None) -> list[tuple[str, int]] | None:
    """(kind, step from 1) of every score, or None when the observations do not account for all of them."""
    if run is None:
        return None
    seen = [(step, action.printed) for step, action in enumerate(run.actions, start=1) if action.printed]
    final = [("submit", run.steps)] if run.exit_text in _FINAL else []
    if len(seen) + len(final) != len(scores):
        return None
    if any(ast.literal_eval(printed) != score for (_, printed), score in zip(seen, scores, strict=False)):
        return None
    return [("validate", step) for step, _ in seen] + final
