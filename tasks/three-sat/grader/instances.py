"""Random 3-SAT near the phase transition, drawn from a secret stream.

Takes a Draws, gives Formulas: 8 to 12 variables, 4.26 clauses a variable, three different variables a clause with
random signs. Some are satisfiable, some are not; none is filtered. Never uses a shared random state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from lockstep import Formula

if TYPE_CHECKING:
    from gymplay.draws import Draws

SMALLEST, LARGEST = 8, 12
RATIO = 4.26
Integers = np.ndarray[Any, np.dtype[np.int64]]


def random_formulas(draws: Draws, count: int) -> list[Formula]:
    """`count` formulas out of two blocks of the stream."""
    variables = draws.integers(SMALLEST, LARGEST, count)
    literals = _literals(draws.uniform(count, round(RATIO * LARGEST), 4), variables[:, None])
    return [
        Formula(size, tuple(map(tuple, rows[: round(RATIO * size)])))
        for size, rows in zip(variables.tolist(), literals.tolist(), strict=True)
    ]


def _literals(uniform: np.ndarray[Any, np.dtype[np.float64]], variables: Integers) -> Integers:
    """Signed variables, shape (formulas, clauses, 3): the k-th one is uniform over those not taken by the earlier."""
    first, second, third = ((uniform[..., k] * (variables - k)).astype(np.int64) for k in range(3))
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    third += third >= low
    third += third >= high
    eighth = (uniform[..., 3] * 8).astype(np.int64)
    signs = 1 - 2 * ((eighth[..., None] >> np.arange(3)) & 1)
    return (np.stack([first, second, third], axis=-1) + 1) * signs
