"""grade_play: one play artifact -> one Verdict.

Takes a GradeJob and an Engine; the candidate's crash, stall or nonsense gives an invalid Verdict with the reason, our
own failure a GradingError. The seed reaches the referee on its standard input only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from harness.errors import GradingError, InvalidArtifact
from harness.grading.base import GradeJob
from harness.grading.play.artifact import check_artifact
from harness.grading.play.match import Match
from harness.grading.play.reason import clean
from harness.grading.play.stage import OURS, Stage, staged
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict

REASON_CAP = 1900


def grade_play(job: GradeJob, engine: Engine) -> Verdict:
    """Grade in fresh places that are gone when this returns. Raises GradingError, SandboxError."""
    return grade_with_referee(job, engine, staged)


def grade_with_referee(
    job: GradeJob, engine: Engine, staging: Callable[[GradeJob], AbstractContextManager[Stage]]
) -> Verdict:
    """Check the artifact, lay out the stage, let the referee have the last word. Raises GradingError, SandboxError."""
    started = time.monotonic()
    fields: dict[str, Any]
    try:
        check_artifact(job.task, job.artifact)
        fields = _played(job, engine, staging)
    except InvalidArtifact as fault:
        fields = {"invalid": clean(str(fault), REASON_CAP) or "the player gave no printable reason"}
    return Verdict(
        split=job.split,
        seed=job.seed.hex() if job.split == "sealed" else None,
        grader_version=job.task.grader.version,
        duration_s=time.monotonic() - started,
        **fields,
    )


def _played(
    job: GradeJob, engine: Engine, staging: Callable[[GradeJob], AbstractContextManager[Stage]]
) -> dict[str, Any]:
    with staging(job) as stage, Match(job, stage, engine) as match:
        last = match.run()
        if "invalid" not in last:
            return _verdict(job, last)
        reason, player = str(last["invalid"]), str(last.get("player"))
        if last.get("silent"):
            reason += "\n" + match.last_words(player)
        if player == OURS:
            raise GradingError(f"{job.task.id}: our own player {player!r} failed: {clean(reason, REASON_CAP)}")
        raise InvalidArtifact(reason)


def _verdict(job: GradeJob, last: dict[str, Any]) -> dict[str, Any]:
    """The referee's own result, held to the task's declaration all the same."""
    try:
        found = last["verdict"]
        metrics = {str(name): float(value) for name, value in found["metrics"].items()}
        stderr = {str(name): float(value) for name, value in found["stderr"].items()}
        n = int(found["n"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GradingError(f"{job.task.id}: the referee's last line is no verdict ({error!r})") from None
    declared = {metric.name for metric in job.task.metrics}
    if set(metrics) != declared or not all(map(math.isfinite, [*metrics.values(), *stderr.values()])):
        raise GradingError(f"{job.task.id}: the referee returned {metrics}, the task declares {sorted(declared)}")
    return {"metrics": metrics, "stderr": stderr, "n": n}
