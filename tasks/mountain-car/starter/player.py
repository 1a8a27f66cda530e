"""The policy that is graded: loads one checkpoint, answers a batch of observations with sampled actions.

numpy alone, because it starts at once; JAX is there too, for policies that need it.
"""

import numpy as np
from safetensors.numpy import load_file


def load(path):
    """The actor's layers of one checkpoint, as pairs (weight, bias)."""
    tensors = load_file(path)
    layers = sum(name.startswith("actor.") for name in tensors) // 2
    return [(tensors[f"actor.{number}.weight"], tensors[f"actor.{number}.bias"]) for number in range(layers)]


def act(policy, observations, reset, key):
    """Sampled actions (environments, 1). `reset` is for policies with a memory; this one has none."""
    x = observations.reshape(len(observations), -1)
    for weight, bias in policy[:-1]:
        x = np.maximum(x @ weight + bias, 0.0)
    weight, bias = policy[-1]
    mean, raw = np.split(x @ weight + bias, 2, axis=-1)
    scale = np.logaddexp(raw, 0.0) + 0.001
    return mean + scale * np.random.default_rng(key).standard_normal(mean.shape)
