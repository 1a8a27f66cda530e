"""MetaMaze: a goal at a random place of a fixed maze, found again and again within one episode."""

import gymnax
from gymplay import policy_rollouts


def play(table):
    return policy_rollouts.play_policies(table, *gymnax.make("MetaMaze-misc"))
