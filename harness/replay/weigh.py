"""Weigh: what a replayed episode handed in, beside what was recorded.

Takes a task, a recorded and a replayed episode and what our regrade found, gives one AttemptReplay for each artifact
that a payload keeps. A submitter's word widens nothing: standard errors are those of grades made by us, or count up to
these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from harness.comparison import STANDARD_ERRORS, allowed_apart
from harness.payload import kept_attempts
from harness.schema.episode import Attempt, Episode, Verdict
from harness.schema.replay import AttemptReplay
from harness.schema.steps import StepLine
from harness.schema.task import TaskSpec

Regraded = Callable[[str], Verdict | None]
"""Digest of a recorded artifact -> our own sealed verdict of it, None when it was not regraded."""


def weigh(
    task: TaskSpec, was: Episode, now: Episode, regraded: Regraded, sd: float | None
) -> tuple[AttemptReplay, ...]:
    """Every kept attempt of the recorded episode. `sd`: the task's measured training spread."""
    return tuple(_weighed(task, attempt, now, regraded, sd) for attempt in kept_attempts(was, task.metric))


def paced(was: Sequence[StepLine], now: Sequence[StepLine]) -> bool:
    """Whether a command was cut off by its time limit on one side only."""
    pairs = zip(was, now, strict=False)
    return any(old.action.kind == "bash" and (old.exit_code is None) != (new.exit_code is None) for old, new in pairs)


def _weighed(task: TaskSpec, was: Attempt, now: Episode, regraded: Regraded, sd: float | None) -> AttemptReplay:
    made = next((attempt for attempt in now.attempts if attempt.index == was.index), None)
    ours = regraded(str(was.artifact_sha256))
    expected, found = ours or was.sealed, made.sealed if made else None
    difference = allowed = None
    want, got = _value(task, expected), _value(task, found)
    if found is None:
        agrees, sentence = want is None, f"no artifact came: {(made and made.refused) or 'the step was not reached'}"
    elif want is None or got is None or expected is None:
        # An invalid artifact has nothing to be found again; a valid one has.
        agrees = want is None
        sentence = f"expected {_words(want, expected)}; replayed {_words(got, found)}"
    else:
        difference, (allowed, why) = abs(want - got), _allowed(task, expected, found, sd)
        agrees = difference <= allowed
        sentence = f"expected {want:.6g}, replayed {got:.6g}: {difference:.3g} apart, {allowed:.3g} allowed ({why})"
    return AttemptReplay(
        attempt=was.index,
        artifact_sha256=str(was.artifact_sha256),
        replayed_sha256=made.artifact_sha256 if made else None,
        metric=task.metric.name,
        expected=want,
        expected_from="regraded" if ours else "claimed",
        replayed=found,
        difference=difference,
        allowed=allowed,
        agrees=agrees,
        sentence=sentence[:4000],
    )


def _allowed(task: TaskSpec, expected: Verdict, found: Verdict, sd: float | None) -> tuple[float, str]:
    """How far the grades of two trainings may be apart, and by which rule (decision record 0027)."""
    graded, metric = allowed_apart(task, expected, found), task.metric.name
    if sd is not None:
        return max(graded, STANDARD_ERRORS * math.sqrt(2) * sd), f"training spread {sd:.3g}, measured"
    if task.grader.kind != "predictions":
        return graded, "as two grades of one artifact"
    error = found.stderr.get(metric, 0.0)
    combined = math.hypot(error, min(expected.stderr.get(metric, 0.0), error))
    return max(graded, STANDARD_ERRORS * combined), "standard errors of the rows; training spread unmeasured"


def _value(task: TaskSpec, verdict: Verdict | None) -> float | None:
    return verdict.metrics.get(task.metric.name) if verdict else None


def _words(value: float | None, verdict: Verdict | None) -> str:
    if value is not None:
        return f"{value:.6g}"
    return f"invalid ({(verdict.invalid or '')[:500]})" if verdict else "nothing"
