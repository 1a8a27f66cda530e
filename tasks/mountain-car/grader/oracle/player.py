"""Energy pumping: full force along the velocity, which swings the car up the hill in the fewest steps."""

import numpy as np


def load(path):
    return None


def act(policy, observations, reset, key):
    return np.where(observations[:, 1:] >= 0, 1.0, -1.0)
