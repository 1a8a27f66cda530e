"""One published MLGym run -> one Episode.

Takes the parsed results.json and .traj, gives the record. Never guesses: a score is tied to the action that made it
only when the observations account for every score, in order and in value; otherwise its kind is "unknown", its step 0.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from harness.errors import DataError
from harness.schema.episode import ActionClass, Attempt, Episode, ExitStatus, Usage

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
    stats: dict[str, float]

    @property
    def steps(self) -> int:
        """Actions of the agent; upstream also writes its own exit_cost, exit_format, ... as a last action."""
        return sum(not action.word.startswith("exit_") for action in self.actions)

    @classmethod
    def of(cls, tree: Any, name: str) -> FinishedRun:
        """Reduce a parsed .traj. Raises DataError when it does not have upstream's shape."""
        try:
            info = tree["info"]
            steps = tuple(_action(step["action"] or "", step["observation"] or "") for step in tree["trajectory"])
            return cls(steps, info.get("exit_status") or "", dict(info["model_stats"]))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"{name}: not an MLGym trajectory: {error!r}") from error


def read_run(task: str, seed: int, results: Any, run: FinishedRun | None) -> Episode:
    """The episode of one run; `run` None: upstream published its results only."""
    scores = results["agent"]
    status, detail = _exit(run)
    return Episode(
        task=task,
        task_version="1.0.0",
        profile="official",
        seed=seed,
        exit_status=status,
        exit_detail=detail,
        steps=run.steps if run else 0,
        actions=_counts(run) if run else {},
        attempts=_attempts(scores, run),
        usage=_usage(run) if run else Usage(),
        published_baseline={key: float(value) for key, value in results["baseline"].items()},
    )


def _action(action: str, observation: str) -> Action:
    words = action.split(maxsplit=1)
    printed = _PRINTED.findall(observation)
    return Action(words[0] if words else "", printed[-1] if printed and words and words[0] == "validate" else None)


def _exit(run: FinishedRun | None) -> tuple[ExitStatus, str | None]:
    if run is None:
        return "unknown", "upstream published no trajectory of this run"
    text = run.exit_text
    if text in _EXITS:
        return _EXITS[text], text or "upstream recorded no exit status"
    for start, status in _FAULTS:
        if text.startswith(start):
            return status, text
    raise DataError(f"unknown exit status {text!r}; teach harness.importers.mlgym_traj what it means")


def _counts(run: FinishedRun) -> dict[ActionClass, int]:
    counts: dict[ActionClass, int] = {}
    for action in run.actions:
        if action.word and not action.word.startswith("exit_"):
            kind = _CLASSES.get(action.word, "Bash")
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def _attempts(scores: list[dict[str, float]], run: FinishedRun | None) -> tuple[Attempt, ...]:
    places = _places(scores, run) or [("unknown", 0)] * len(scores)
    return tuple(
        Attempt.model_validate(
            {"index": index, "step": step, "kind": kind, "published": {k: float(v) for k, v in score.items()}}
        )
        for index, (score, (kind, step)) in enumerate(zip(scores, places, strict=True))
    )


def _places(scores: list[dict[str, float]], run: FinishedRun | None) -> list[tuple[str, int]] | None:
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


def _usage(run: FinishedRun) -> Usage:
    return Usage(
        input_tokens=int(run.stats["tokens_sent"]),
        output_tokens=int(run.stats["tokens_received"]),
        api_calls=int(run.stats["api_calls"]),
        reported_cost_usd=float(run.stats["total_cost"]),
    )
