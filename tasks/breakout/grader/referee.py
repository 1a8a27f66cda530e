"""MinAtar Breakout: a brick pays 1; the episode ends when the ball is lost."""

import gymnax
from gymplay import policy_rollouts


def play(table):
    return policy_rollouts.play_policies(table, *gymnax.make("Breakout-MinAtar"))
