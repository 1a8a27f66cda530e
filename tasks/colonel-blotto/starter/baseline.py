"""The baseline: reinforces a few battlefields at random, then scales to the army's size."""

import random

BATTLEFIELDS, SOLDIERS = 6, 120
REINFORCED = 6  # at most so many times a random battlefield is reinforced
LEAST = 10  # the fewest soldiers that it then gets
SPREAD = 20  # how many more it may get


def row_strategy(history):
    """Your next allocation, six integers, given [(your allocation, the opponent's), ...] of the rounds so far."""
    army = [0] * BATTLEFIELDS
    for _ in range(random.randint(1, REINFORCED)):
        army[random.randrange(BATTLEFIELDS)] += random.randint(LEAST, LEAST + SPREAD)
    for field in range(BATTLEFIELDS):
        if army[field] == 0:
            army[field] = random.randint(0, max(0, SOLDIERS - sum(army)))
    total = sum(army)
    army = [soldiers * SOLDIERS // total for soldiers in army]
    army[random.randrange(BATTLEFIELDS)] += SOLDIERS - sum(army)
    return army
