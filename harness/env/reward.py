"""What a validation score is worth: how far it lifts the best so far, on the scale on which a season counts.

Takes a task's baseline and the scores of an episode in order, gives rewards. Their sum is log10 of how much better the
best artifact is than handing in nothing, which a season counts as (1 + EPS) times worse than the baseline: the task's
share of the area under the performance profile, in which a season's reference cancels out. Never knows a sealed score.
"""

from __future__ import annotations

import math

from harness.schema.task import ProfileName, TaskSpec

EPS = 0.05
"""Of every season so far: what is worse than the baseline, or nothing, counts as this much worse than the baseline."""


class Climb:
    """The rewards of one episode. Without a baseline above 0 on this profile the first score takes its place."""

    def __init__(self, task: TaskSpec, profile: ProfileName) -> None:
        self._shifted = task.transform == "half-shifted"
        self._sign = task.metric.sign
        found = task.baseline(profile) or task.baseline(profile, "upstream")
        self._base = self._log(found.value) if found else None
        self._top = 0.0
        self._seen: set[str] = set()

    def reward(self, artifact_sha256: str, score: float) -> float:
        """At least 0. The same bytes are rewarded once: graded again until a lucky seed comes, they earn nothing."""
        height = self._log(score)
        if height is None or artifact_sha256 in self._seen:
            return 0.0
        self._seen.add(artifact_sha256)
        if self._base is None:
            self._base = height
        if height < self._base:
            return 0.0
        gain = max(0.0, height - self._base + math.log10(1 + EPS) - self._top)
        self._top += gain
        return gain

    def _log(self, score: float) -> float | None:
        """log10 of the score as a season reads it, higher is better; None where it has no ratio."""
        read = (1 + score) / 2 if self._shifted else score
        return self._sign * math.log10(read) if read > 0 and math.isfinite(read) else None
