"""The baseline: mostly follows the partner's last choice."""

import random


def row_strategy(history):
    """Your next move, 0 or 1, given [(your move, partner's move), ...] of the rounds so far."""
    if not history:
        return 0
    own, partner = history[-1]
    mood = random.random()
    if mood < 0.1:
        return 0
    if mood < 0.2:
        return 1
    return partner if mood < 0.9 else own
