"""Two policies on a task's gymnasium environment: the starter as it is, and random hyperparameters of it.

python examples/gym_policies.py colonel-blotto 3
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator

import gymnasium

import harness.env
from harness.schema.task import TaskSpec, load_task, tasks_root

Policy = Callable[[TaskSpec, int], Iterator[str]]
"""The actions of one episode, from the task and the episode's seed."""


def baseline(task: TaskSpec, seed: int) -> Iterator[str]:
    """The starter, one look, and in."""
    yield from (task.starter_command, "validate", "submit")


def random_search(task: TaskSpec, seed: int) -> Iterator[str]:
    """Four draws of whole-number hyperparameters, each validated; the last one stands."""
    drawn = random.Random(seed)
    for _ in range(4):
        settings = [
            f"GYMBOARD_HP_{each.name.upper()}={drawn.randint(int(each.low or 0), int(each.high or 0))}"
            for each in task.hyperparameters
            if each.kind == "int"
        ]
        yield " ".join(["export", *settings]) + "; " + (task.search_command or task.starter_command)
        yield "validate"
    yield "submit"


def play(env: gymnasium.Env[str, str], task: TaskSpec, policy: Policy, seed: int) -> float:
    """The return of one episode."""
    env.reset(seed=seed)
    total = 0.0
    for action in policy(task, seed):
        _, reward, terminated, truncated, _ = env.step(action)
        total += float(reward)
        if terminated or truncated:
            break
    return total


def main(task_id: str, episodes: int, sandbox: str = "auto") -> dict[str, list[float]]:
    """Returns by policy, printed and given."""
    task = load_task(tasks_root() / task_id)
    env = gymnasium.make(harness.env.env_id(task), sandbox=sandbox)
    try:
        returns = {
            policy.__name__: [play(env, task, policy, seed) for seed in range(episodes)]
            for policy in (baseline, random_search)
        }
    finally:
        env.close()
    for name, values in returns.items():
        print(f"{name:14} {' '.join(f'{value:.4f}' for value in values)}")
    return returns


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "colonel-blotto", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
