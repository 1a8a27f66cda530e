"""grade_claims: a model's claims about tokens -> one Verdict.

Takes a GradeJob and an Engine; the artifact's crash, stall or an audit that fails gives an invalid Verdict with the
reason, our own failure a GradingError. The referee alone holds tokens that the model has not been sent yet.
"""

from __future__ import annotations

from harness.grading.base import GradeJob
from harness.grading.claims.stage import staged_claims
from harness.grading.play.host import grade_with_referee
from harness.sandbox.base import Engine
from harness.schema.episode import Verdict


def grade_claims(job: GradeJob, engine: Engine) -> Verdict:
    """Grade in fresh places that are gone when this returns. Raises GradingError, SandboxError."""
    return grade_with_referee(job, engine, staged_claims)
