"""What every grader takes and gives: frozen artifact bytes in, one Verdict out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.sandbox.base import Engine, blaming
from harness.schema.episode import Verdict
from harness.schema.task import ProfileName, Split, TaskSpec

Artifact = Mapping[str, bytes]
"""Relative path -> content, exactly the files that the task declares."""


def artifact_sha256(artifact: Artifact) -> str:
    """Digest of the artifact's names and bytes: SHA-256 over `name NUL length NUL bytes` of every file, by name."""
    digest = hashlib.sha256()
    for name in sorted(artifact):
        digest.update(f"{name}\0{len(artifact[name])}\0".encode() + artifact[name])
    return digest.hexdigest()


@dataclass(frozen=True)
class GradeJob:
    """One artifact, one split. `grader_data` is the prepared grader/ folder (labels), None when the task has none.

    `seed` is 32 fresh bytes drawn after the artifact was frozen; predictions ignore it.
    """

    task: TaskSpec
    folder: Path
    profile: ProfileName
    split: Split
    artifact: Artifact
    seed: bytes
    grader_data: Path | None = None


def grade(job: GradeJob, engine: Engine) -> Verdict:
    """Grade one artifact. An artifact at fault gives an invalid Verdict; our own failure raises GradingError, a machine
    that took the graders away PlaceLost: neither verdict nor failure then means anything."""
    if job.task.grader.kind == "predictions":
        from harness.grading.predictions import grade_predictions

        return grade_predictions(job)
    life = engine.life()
    with blaming(life.check):
        verdict = _grade_running(job, engine)
    if verdict.invalid is not None:
        life.check()
    return verdict


def _grade_running(job: GradeJob, engine: Engine) -> Verdict:
    if job.task.grader.kind == "play":
        from harness.grading.play import grade_play

        return grade_play(job, engine)
    from harness.grading.claims import grade_claims

    return grade_claims(job, engine)
