"""The baseline: a moody cousin of tit for tat."""

import random

FIRST = 0.5  # the probability to defect in the first round
DEFECT = 0.75  # after the partner's 1: to defect
DEFECT_OWN = 0.15  # after the partner's 1: to repeat one's own move; else 0
COOPERATE = 0.6  # after the partner's 0: to cooperate
COOPERATE_OWN = 0.3  # after the partner's 0: to repeat one's own move; else 1


def row_strategy(history):
    """Your next move, 0 (cooperate) or 1 (defect), given [(your move, partner's move), ...] of the rounds so far."""
    if not history:
        return int(random.random() < FIRST)
    own, partner = history[-1]
    mood = random.random()
    if partner == 1:
        return 1 if mood < DEFECT else own if mood < DEFECT + DEFECT_OWN else 0
    return 0 if mood < COOPERATE else own if mood < COOPERATE + COOPERATE_OWN else 1
