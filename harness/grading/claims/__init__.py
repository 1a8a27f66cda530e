"""Claims graders: a model claims the log-probability of every target, and an audit without targets believes it or not."""

from harness.grading.claims.host import grade_claims

__all__ = ["grade_claims"]
