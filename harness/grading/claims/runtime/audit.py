"""The audit's arithmetic: could these claims come from a model that had not seen the targets?

Takes the log-probabilities that one player claimed, having been sent the targets, and those of a second one that had
only the prefixes; gives nothing, or raises Void with the reason. All in nats. Never sees a socket or a token's text.

The bounds, and why they are what they are (tests/harness/grading/claims/test_audit.py simulates all of it):
- BOUND: two passes of one bfloat16 model over other batch shapes differ by rounding alone. A leaked target differs by
  its whole surprise.
- the mean: what a bfloat16 model's rounding leaves is centred. 3 standard errors alone would void one honest model
  in 370, hence FLOOR; noise added on purpose would widen them, hence CEILING.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

BOUND = 0.5
FLOOR, CEILING = 0.005, 0.01
SIGMAS = 3.0
NORMALISED = 0.01
ABOVE_ZERO = 1e-4

Floats = np.ndarray[Any, np.dtype[Any]]


class Void(Exception):
    """The claims cannot be believed; the text says why, for the agent."""


def checked_claims(claims: Floats) -> Floats:
    """Claimed log-probabilities in float64. Raises Void unless all are finite and none is above 0."""
    if not np.isfinite(claims).all():
        raise Void(f"{int((~np.isfinite(claims)).sum())} of {claims.size} claimed log-probabilities are not finite")
    if claims.max() > ABOVE_ZERO:
        raise Void(f"a claimed log-probability is {claims.max():.4g}; none can be above 0")
    return np.minimum(claims.astype(np.float64), 0.0)


def audited(distribution: Floats, target: int) -> float:
    """The target's log-probability in a full distribution. Raises Void unless the distribution adds up to 1."""
    values = distribution.astype(np.float64)
    if np.isnan(values).any() or values.max() > ABOVE_ZERO:
        raise Void("a next-token distribution holds NaN or a log-probability above 0")
    total = float(np.log(np.exp(values).sum())) if values.max() > -700 else -np.inf
    if not abs(total) <= NORMALISED:
        raise Void(f"a next-token distribution is not normalised: the log of its sum is {total:.4g}, not 0")
    return float(values[target]) - total


def judge(claimed: Floats, found: Floats) -> None:
    """Raise Void unless every difference is within BOUND and their mean within what rounding explains."""
    differences = claimed - found
    worst = int(np.argmax(np.abs(differences)))
    if not abs(differences[worst]) <= BOUND:
        raise Void(
            f"the audit does not confirm the claims: at one of {len(differences)} positions {claimed[worst]:.4f} was "
            f"claimed with the targets at hand and {found[worst]:.4f} was found without them (at most {BOUND} apart "
            "is allowed). A model must use only the tokens before a target, and be the same in claims and next_token"
        )
    mean, allowed = float(differences.mean()), tolerated_mean(differences)
    if abs(mean) > allowed:
        raise Void(
            f"the audit does not confirm the claims: over {len(differences)} positions they are on average "
            f"{mean:+.4f} nats off what was found without the targets, {allowed:.4f} is allowed"
        )


def tolerated_mean(differences: Floats) -> float:
    """3 standard errors, not below FLOOR and not above CEILING."""
    error = float(differences.std(ddof=1)) / sqrt(len(differences))
    return min(max(SIGMAS * error, FLOOR), CEILING)


def mean_loss(claims: Floats) -> tuple[float, float]:
    """Mean of -claims (windows, length) and its standard error over windows: the tokens of one window go together."""
    windows = -claims.mean(axis=1)
    return float(windows.mean()), float(windows.std(ddof=1)) / sqrt(len(windows))
