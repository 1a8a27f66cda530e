"""Comparison: a claimed verdict beside a fresh one, and whether they agree.

Takes a task, an attempt and the measured verdict, gives a Regraded record with the difference, what was allowed and a
sentence. Never trusts the claimed error beyond the measured one, never compares anything but the ranked metric.
"""

from __future__ import annotations

import math

from harness.payload import best_attempt, final_attempt
from harness.schema.episode import Attempt, Episode, Verdict
from harness.schema.regrade import Regraded
from harness.schema.task import TaskSpec

STANDARD_ERRORS = 4.0


def compare(spec: TaskSpec, episode: Episode, attempt: Attempt, measured: Verdict, *, cached: bool) -> Regraded:
    """Claimed beside measured, by the ranked metric.

    Predictions agree within the task's tolerance (absolute); play and claims within 4 combined standard errors or the
    task's relative tolerance, whichever is more. A claimed standard error counts up to the measured one: it is the
    submitter's word, and a large one would agree with everything.
    """
    metric = spec.metric.name
    claim = attempt.sealed
    claimed = claim.metrics.get(metric) if claim else None
    value = measured.metrics.get(metric)
    difference = allowed = None
    if claim is None:
        agrees, sentence = True, "the bundle claims nothing; measured " + _words(measured, metric)
    elif claimed is None or value is None:
        agrees = claim.valid == measured.valid and claimed == value
        sentence = f"claimed {_words(claim, metric)}; measured {_words(measured, metric)}"
    else:
        difference, allowed = abs(claimed - value), allowed_apart(spec, claim, measured)
        agrees = difference <= allowed
        sentence = f"claimed {claimed:.6g}, measured {value:.6g}: {difference:.3g} apart, {allowed:.3g} allowed"
    roles = {"best": best_attempt(episode, spec.metric), "final": final_attempt(episode)}
    return Regraded(
        task=spec.id,
        seed=episode.seed,
        attempt=attempt.index,
        roles=tuple(role for role in ("best", "final") if (kept := roles[role]) and kept.index == attempt.index),
        artifact_sha256=str(attempt.artifact_sha256),
        metric=metric,
        claimed=claimed,
        claimed_invalid=claim.invalid if claim else None,
        measured=measured,
        difference=difference,
        allowed=allowed,
        agrees=agrees,
        sentence=sentence,
        cached=cached,
    )


def allowed_apart(spec: TaskSpec, claim: Verdict, measured: Verdict) -> float:
    """How far two grades of one artifact may be apart; both have a value of the ranked metric."""
    metric, tolerance = spec.metric.name, spec.grader.regrade_tolerance
    if spec.grader.kind == "predictions":
        return tolerance
    error = measured.stderr.get(metric, 0.0)
    combined = math.hypot(error, min(claim.stderr.get(metric, 0.0), error))
    return max(STANDARD_ERRORS * combined, tolerance * abs(measured.metrics[metric]))


def _words(verdict: Verdict, metric: str) -> str:
    if verdict.invalid is not None:
        return f"invalid ({verdict.invalid[:200]})"
    value = verdict.metrics.get(metric)
    return f"no {metric}" if value is None else f"{value:.6g}"
