"""Plays the checkpoints here: `python evaluate.py [episodes]`. The grade is made elsewhere, from other seeds."""

import sys
from pathlib import Path

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
from baseline import CONFIG, HORIZON
from player import act, load


def play(policy, episodes, seed):
    """The return of every episode: its reward until the first done, at most HORIZON steps."""
    env, params = gymnax.make(CONFIG.environment)
    reset = jax.jit(jax.vmap(env.reset, (0, None)))
    step = jax.jit(jax.vmap(env.step, (0, 0, 0, None)))
    space = env.action_space(params)
    numbers = np.random.default_rng(seed)
    keys = jax.random.split(jax.random.key(seed), episodes)
    observations, state = reset(keys, params)
    begins, alive, returns = np.ones(episodes, bool), np.ones(episodes, bool), np.zeros(episodes)
    for time in range(HORIZON):
        key = numbers.integers(0, 2**32, 2, dtype=np.uint32)
        actions = np.asarray(act(policy, np.array(observations), begins, key))
        if not hasattr(space, "n"):
            actions = actions.astype(np.float32).clip(space.low, space.high)
        keys_now = jax.vmap(jax.random.fold_in, (0, None))(keys, time)
        observations, state, reward, terminated, truncated, _ = step(keys_now, state, jnp.asarray(actions), params)
        begins = np.asarray(terminated | truncated)
        returns += np.asarray(reward) * alive
        alive &= ~begins
        if not alive.any():
            break
    return returns


def main():
    episodes = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    means = []
    for number in range(CONFIG.checkpoints):
        returns = play(load(Path(f"checkpoint-{number}.safetensors")), episodes, 1000 + number)
        means.append(returns.mean())
        print(f"checkpoint {number}: mean return {returns.mean():.3f}, sd {returns.std():.3f}, {episodes} episodes")
    error = np.std(means, ddof=1) / len(means) ** 0.5
    print(f"mean return {np.mean(means):.3f} +- {error:.3f} over {len(means)} checkpoints")


if __name__ == "__main__":
    main()
