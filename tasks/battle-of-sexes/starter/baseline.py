"""The baseline: mostly follows the partner's last choice."""

import random

FIRST = 0  # the probability of 1 in the first round
ZERO = 0.1  # later: of 0
ONE = 0.1  # later: of 1
PARTNER = 0.7  # later: of the partner's last move; else one's own


def row_strategy(history):
    """Your next move, 0 or 1, given [(your move, partner's move), ...] of the rounds so far."""
    if not history:
        return int(random.random() < FIRST)
    own, partner = history[-1]
    mood = random.random()
    if mood < ZERO:
        return 0
    if mood < ZERO + ONE:
        return 1
    return partner if mood < ZERO + ONE + PARTNER else own
