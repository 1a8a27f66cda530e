"""What clipping is worth in mountain-car: `PYTHON tests/benchmarks/raw_actions.py FOLDER`, PYTHON one that has gymnax.

Takes a folder of the starter's five checkpoints; prints each one's mean return where actions are clipped to [-1, 1]
before they cost anything, as our referee does, and where they cost as they came, as upstream's scorer has it (the car
moves alike: the environment clips the force itself). 5 seeds of 256 environments each, 200 steps; the error is that
over checkpoints, beside it the deviation over episodes. Played in this process: a measurement, never a grade.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from statistics import mean, stdev

import numpy as np

PLAYER = Path(__file__).parents[2] / "tasks" / "mountain-car" / "starter" / "player.py"
CHECKPOINTS, SEEDS, ENVIRONMENTS, HORIZON = 5, 5, 256, 200


def main() -> None:
    if len(sys.argv) < 2 or importlib.util.find_spec("gymnax") is None:
        print("# unmeasured: name a folder of trained checkpoints, and run it by a python that has gymnax")
        return
    folder = Path(sys.argv[1])
    spec = importlib.util.spec_from_file_location("player", PLAYER)
    assert spec is not None and spec.loader is not None
    player = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(player)
    for name, clipped in (("clipped", True), ("as they came", False)):
        means, episodes = [], []
        for number in range(CHECKPOINTS):
            policy = player.load(folder / f"checkpoint-{number}.safetensors")
            played = [returns(player, policy, 1000 * number + seed, clipped) for seed in range(SEEDS)]
            means.append(float(np.concatenate(played).mean()))
            episodes += played
        error = stdev(means) / len(means) ** 0.5
        print(f"actions {name:12} {mean(means):.3f} +- {error:.3f}, over episodes sd {np.std(episodes):.2f}: ", end="")
        print(", ".join(f"{one:.2f}" for one in means))


def returns(player, policy, seed: int, clipped: bool):  # type: ignore[no-untyped-def]
    """(ENVIRONMENTS,) sums of rewards until the first end of an episode, at most HORIZON steps."""
    import gymnax
    import jax
    import jax.numpy as jnp

    env, params = gymnax.make("MountainCarContinuous-v0")
    step = jax.jit(jax.vmap(env.step, (0, 0, 0, None)))
    keys = jax.random.split(jax.random.key(seed), ENVIRONMENTS)
    observations, state = jax.vmap(env.reset, (0, None))(keys, params)
    numbers = np.random.default_rng(seed)
    alive, total = np.ones(ENVIRONMENTS, bool), np.zeros(ENVIRONMENTS)
    for time in range(HORIZON):
        key = numbers.integers(0, 2**32, 2, dtype=np.uint32)
        actions = np.asarray(player.act(policy, np.asarray(observations), ~alive, key), np.float32)
        actions = actions.clip(-1, 1) if clipped else actions
        now = jax.vmap(jax.random.fold_in, (0, None))(keys, time)
        observations, state, reward, terminated, truncated, _ = step(now, state, jnp.asarray(actions), params)
        total += np.asarray(reward) * alive
        alive &= ~np.asarray(terminated | truncated)
    return total


if __name__ == "__main__":
    main()
