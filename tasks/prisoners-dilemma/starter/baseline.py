"""The baseline: a moody cousin of tit for tat."""

import random


def row_strategy(history):
    """Your next move, 0 (cooperate) or 1 (defect), given [(your move, partner's move), ...] of the rounds so far."""
    if not history:
        return random.randint(0, 1)
    own, partner = history[-1]
    mood = random.random()
    if partner == 1:
        return 1 if mood < 0.75 else own if mood < 0.9 else 0
    return 0 if mood < 0.6 else own if mood < 0.9 else 1
