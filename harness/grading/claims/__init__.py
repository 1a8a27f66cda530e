"""Claims graders: a model claims the log-probability of every target; an audit without targets confirms it or not."""

from harness.grading.claims.host import grade_claims

__all__ = ["grade_claims"]
