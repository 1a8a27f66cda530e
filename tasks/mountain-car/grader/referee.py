"""Mountain car with a real-valued force: 100 for the summit, minus a tenth of the squared force at every step."""

import gymnax
from gymplay import policy_rollouts


def play(table):
    return policy_rollouts.play_policies(table, *gymnax.make("MountainCarContinuous-v0"))
