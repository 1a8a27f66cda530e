"""The loop that all reinforcement-learning tasks share: step gymnax environments by the player's actions, count reward.

Takes a Table and one environment, gives the Outcome: the mean return of every checkpoint over fresh episodes. An
episode's return is its reward until the first done, at most params["horizon"] steps. All episodes of a checkpoint
advance together, one message a time step. The environments' keys and the policies' come from different SHAKE-256
streams, and no two checkpoints meet the same episode: nothing that a player is told says what comes next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from .policy_scores import summary
from .table import Foul, Outcome, Table
from .wire import WireError

if TYPE_CHECKING:
    from .draws import Draws
    from .wire import Array

QUICK = {"xla_backend_optimization_level": 0}
"""Optimising takes longer than it saves: the steps are cheap, and each grade compiles them anew."""


class Episodes:
    """Environments of one kind, stepped together on this process's device."""

    def __init__(self, env: Any, env_params: Any) -> None:
        space = env.action_space(env_params)
        self.discrete = hasattr(space, "n")
        self.choices = int(space.n) if self.discrete else 0
        self.width = () if self.discrete else tuple(space.shape)
        self.bounds = (0.0, 0.0) if self.discrete else (float(np.min(space.low)), float(np.max(space.high)))
        self._reset = jax.jit(lambda keys: _begin(env, env_params, keys), compiler_options=QUICK)
        self._step = jax.jit(lambda *given: _step(env, env_params, *given), compiler_options=QUICK)

    @property
    def dtype(self) -> str:
        return "i4" if self.discrete else "f4"

    def begin(self, keys: jax.Array) -> tuple[Array, Any]:
        """First observations (episodes, ...), and what `step` needs."""
        observations, now = self._reset(keys)
        return np.asarray(observations), now

    def step(self, keys: jax.Array, now: Any, actions: Array) -> tuple[Array, Array, Any]:
        """Next observations, which of them begin another episode, and what the next `step` needs."""
        observations, done, now = self._step(keys, now, actions)
        return np.asarray(observations), np.asarray(done), now

    def checked(self, actions: Array, where: str) -> Array:
        """Legal actions; real ones are clipped to the environment's bounds. Raises Foul."""
        if self.discrete:
            wrong: Any = (actions < 0) | (actions >= self.choices)
            rule = f"actions are 0 to {self.choices - 1}"
        else:
            wrong = ~np.isfinite(actions.reshape(len(actions), -1)).all(axis=1)
            rule = "actions are finite numbers"
        if wrong.any():
            index = int(wrong.argmax())
            raise Foul(f"{where}, environment {index}: {actions[index].tolist()} is no action: {rule}")
        return actions if self.discrete else actions.clip(*self.bounds)


def _begin(env: Any, env_params: Any, keys: jax.Array) -> tuple[Any, Any]:
    observations, state = jax.vmap(env.reset, (0, None))(keys, env_params)
    count = len(keys)
    return observations, (_strong(state), jnp.zeros(count), jnp.ones(count, bool), jnp.zeros((), int))


def _strong(state: Any) -> Any:
    """Without JAX's weak types, which come and go and would make `_step` compile twice."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, leaf.dtype), state)


def _step(env: Any, env_params: Any, keys: jax.Array, now: Any, actions: jax.Array) -> tuple[Any, Any, Any]:
    state, returns, alive, time = now
    step_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, time + 1)
    stepped = jax.vmap(env.step, (0, 0, 0, None))(step_keys, state, actions, env_params)
    observations, state, reward, terminated, truncated, _ = stepped
    done = terminated | truncated
    return observations, done, (_strong(state), returns + reward * alive, alive & ~done, time + 1)


def play_policies(table: Table, env: Any, env_params: Any) -> Outcome:
    """params: checkpoints, seeds, environments (episodes of one checkpoint = seeds x environments), horizon."""
    params = table.params
    checkpoints, episodes = int(params["checkpoints"]), Episodes(env, env_params)
    start = {
        "file": "player.py",
        "seed": int(table.draws("player").integers(0, 2**31 - 1, 1)[0]),
        "numpy": True,
        "checkpoints": [f"checkpoint-{number}.safetensors" for number in range(checkpoints)],
        "actions": episodes.dtype,
    }
    table.player.ask("start", start)
    worlds, choices = table.draws("environments"), table.draws("policies")
    size = int(params["seeds"]), int(params["environments"])
    returns = np.stack(
        [
            _returns(table, episodes, number, _keys(worlds, *size), choices, int(params["horizon"]))
            for number in range(checkpoints)
        ]
    )
    return summary(returns)


def _keys(draws: Draws, seeds: int, environments: int) -> jax.Array:
    """One threefry key an episode, split from `seeds` keys of 64 secret bits each."""
    roots = jax.random.wrap_key_data(jnp.asarray(_halves(draws.words(seeds))), impl="threefry2x32")
    return jax.vmap(lambda root: jax.random.split(root, environments))(roots).reshape(-1)


def _returns(table: Table, episodes: Episodes, number: int, keys: jax.Array, draws: Draws, horizon: int) -> Array:
    """The return of every episode of one checkpoint, float64."""
    policy_keys = _halves(draws.words(horizon))
    observations, now = episodes.begin(keys)
    reset = np.ones(len(keys), bool)
    for time in range(horizon):
        meta = {"checkpoint": number, "key": policy_keys[time].tolist()}
        arrays = {"observations": observations.astype("<f4"), "reset": reset.astype("u1")}
        where = f"checkpoint {number}, step {time + 1}"
        try:
            reply = table.player.ask("act", meta, arrays)
            actions = reply.array("actions", episodes.dtype, (len(keys), *episodes.width))
        except WireError as error:
            raise Foul(f"{where}: {error}") from None
        observations, reset, now = episodes.step(keys, now, episodes.checked(actions, where))
        if not np.asarray(now[2]).any():
            break
    return np.asarray(now[1], np.float64)


def _halves(words: Array) -> Array:
    """64-bit words (n,) as pairs of 32-bit words (n, 2)."""
    return words.astype("<u8").view("<u4").reshape(-1, 2)
