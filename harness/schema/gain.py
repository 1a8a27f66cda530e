"""Gain: whether a value is better than the baseline by more than chance explains.

One rule for a task's proof, for a check before a merge (GB111) and for the board (scoring/sql/copies.sql). An error
counts when it was measured by us: a claimed one is its submitter's word, and a huge one would explain everything.
"""

from __future__ import annotations

from harness.schema.task import TaskSpec

GAIN_SIGMAS = 3.0
TIMED_SIGMAS = 5.0
"""Of a task timed against its starter: where a neighbour takes the machine in bursts, three stated errors let one
untouched starter in 102 through (decision 0004)."""
RELATIVE_NOISE = 0.05
"""Of a task timed against its starter, whose value is a share of the starter's: nearer to 1 is no improvement."""


def margin(spec: TaskSpec, error: float) -> float:
    """What a value must be better by than the baseline, in the metric's unit; `error`: a standard error that we
    measured, 0 where we measured none."""
    noise = RELATIVE_NOISE if spec.grader.relative_to_starter else 0.0
    return max(sigmas(noise) * error, noise)


def sigmas(noise: float | None) -> float:
    """Standard errors that chance explains. `noise`: the share of the baseline that it explains anyhow, where a task is
    timed; else 0 or None."""
    return TIMED_SIGMAS if noise else GAIN_SIGMAS
