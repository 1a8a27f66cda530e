"""Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) on gymnax environments, in one file.

Takes a Config, gives checkpoint-0.safetensors, checkpoint-1.safetensors, ...: independent trainings that differ only in
their random key. Runs on whatever device JAX finds: one after the other on a CPU, all at once on a GPU.
"""

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors.numpy import save_file


@dataclass(frozen=True)
class Config:
    """One training. `steps` counts environment steps of one checkpoint; lr falls from lr_begin to lr_end, linearly
    over lr_share * steps optimiser updates (there are far fewer of them, so it hardly moves)."""

    environment: str
    steps: int
    environments: int
    rollout: int
    minibatches: int
    epochs: int
    gamma: float
    gae_lambda: float
    clip: float
    lr_begin: float
    lr_end: float
    lr_share: float
    entropy: float
    critic: float
    max_grad_norm: float
    hidden: tuple[int, ...]
    checkpoints: int = 5
    seed: int = 42


class Batch(NamedTuple):
    """What a rollout remembers; every field has the shape (rollout, environments, ...)."""

    observation: jax.Array
    action: jax.Array
    log_prob: jax.Array
    value: jax.Array
    reward: jax.Array
    done: jax.Array


class State(NamedTuple):
    """Everything that one update hands to the next. `running` and `finished` are episode returns, for the log."""

    key: jax.Array
    params: dict
    optimiser: tuple
    environment: tuple
    observation: jax.Array
    running: jax.Array
    finished: jax.Array


def init_mlp(key, sizes):
    """Layers of an MLP: kernels LeCun-normal, biases uniform in [0, 0.05)."""
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        key, kernel, bias = jax.random.split(key, 3)
        weight = jax.nn.initializers.lecun_normal()(kernel, (fan_in, fan_out))
        layers.append({"weight": weight, "bias": jax.random.uniform(bias, (fan_out,), maxval=0.05)})
    return layers


def mlp(layers, x):
    for layer in layers[:-1]:
        x = jax.nn.relu(x @ layer["weight"] + layer["bias"])
    return x @ layers[-1]["weight"] + layers[-1]["bias"]


class Categorical:
    """Discrete actions from logits."""

    outputs = 1

    @staticmethod
    def sample(head, key):
        return jax.random.categorical(key, head)

    @staticmethod
    def log_prob(head, action):
        return jnp.take_along_axis(jax.nn.log_softmax(head), action[..., None], -1)[..., 0]

    @staticmethod
    def entropy(head):
        log_p = jax.nn.log_softmax(head)
        return -(jnp.exp(log_p) * log_p).sum(-1)


class Gaussian:
    """Real actions: the head is the mean and, before a softplus, the scale."""

    outputs = 2

    @staticmethod
    def parts(head):
        mean, raw = jnp.split(head, 2, -1)
        return mean, jax.nn.softplus(raw) + 0.001

    @classmethod
    def sample(cls, head, key):
        mean, scale = cls.parts(head)
        return mean + scale * jax.random.normal(key, mean.shape)

    @classmethod
    def log_prob(cls, head, action):
        mean, scale = cls.parts(head)
        return jax.scipy.stats.norm.logpdf(action, mean, scale).sum(-1)

    @classmethod
    def entropy(cls, head):
        return (0.5 * jnp.log(2 * jnp.pi * jnp.e) + jnp.log(cls.parts(head)[1])).sum(-1)


class Trainer:
    """The functions of one Config; `begin` and `update` are pure, so they can be jitted and mapped over keys."""

    def __init__(self, config):
        self.config = config
        self.env, self.env_params = gymnax.make(config.environment)
        space = self.env.action_space(self.env_params)
        self.head = Categorical if hasattr(space, "n") else Gaussian
        actions = space.n if hasattr(space, "n") else int(np.prod(space.shape))
        inputs = int(np.prod(self.env.observation_space(self.env_params).shape))
        self.sizes = {
            "actor": (inputs, *config.hidden, self.head.outputs * actions),
            "critic": (inputs, *config.hidden, 1),
        }
        rate = optax.linear_schedule(config.lr_begin, config.lr_end, int(config.lr_share * config.steps))
        self.optimiser = optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.adam(rate, eps=1e-5))

    def begin(self, key):
        key, actor, critic, reset = jax.random.split(key, 4)
        params = {"actor": init_mlp(actor, self.sizes["actor"]), "critic": init_mlp(critic, self.sizes["critic"])}
        keys = jax.random.split(reset, self.config.environments)
        observation, environment = jax.vmap(self.env.reset, (0, None))(keys, self.env_params)
        zeros = jnp.zeros(self.config.environments)
        return State(key, params, self.optimiser.init(params), environment, _flat(observation), zeros, zeros)

    def update(self, state):
        """One rollout, then `epochs` passes over it in minibatches."""
        state, batch = jax.lax.scan(self._step, state, None, self.config.rollout)
        last = mlp(state.params["critic"], state.observation)[..., 0]
        advantage = self._advantage(batch, last)
        data = jax.tree.map(
            lambda x: x.reshape(-1, *x.shape[2:]),
            (batch.observation, batch.action, batch.log_prob, batch.value, advantage),
        )
        key, shuffle = jax.random.split(state.key)
        learn = (state.params, state.optimiser)
        keys = jax.random.split(shuffle, self.config.epochs)
        params, optimiser = jax.lax.scan(lambda carry, k: (self._epoch(carry, data, k), None), learn, keys)[0]
        return state._replace(key=key, params=params, optimiser=optimiser)

    def _step(self, state, _):
        key, sample, move = jax.random.split(state.key, 3)
        head = mlp(state.params["actor"], state.observation)
        value = mlp(state.params["critic"], state.observation)[..., 0]
        action = self.head.sample(head, sample)
        keys = jax.random.split(move, self.config.environments)
        step = jax.vmap(self.env.step, (0, 0, 0, None))
        observation, environment, reward, terminated, truncated, _ = step(
            keys, state.environment, action, self.env_params
        )
        done = terminated | truncated
        seen = Batch(state.observation, action, self.head.log_prob(head, action), value, reward, done)
        running = state.running + reward
        following = state._replace(
            key=key,
            environment=environment,
            observation=_flat(observation),
            running=jnp.where(done, 0.0, running),
            finished=jnp.where(done, running, state.finished),
        )
        return following, seen

    def _advantage(self, batch, last):
        """Generalised advantage estimation; an episode that was cut off counts as ended."""
        gamma, decay = self.config.gamma, self.config.gamma * self.config.gae_lambda

        def back(carry, row):
            advantage, after = carry
            value, reward, done = row
            alive = 1.0 - done
            advantage = reward + gamma * after * alive - value + decay * alive * advantage
            return (advantage, value), advantage

        rows = (batch.value, batch.reward, batch.done.astype(jnp.float32))
        return jax.lax.scan(back, (jnp.zeros_like(last), last), rows, reverse=True)[1]

    def _epoch(self, learn, data, key):
        order = jax.random.permutation(key, self.config.rollout * self.config.environments)
        parts = order.reshape(self.config.minibatches, -1)
        return jax.lax.scan(lambda carry, rows: (self._learn(carry, data, rows), None), learn, parts)[0]

    def _learn(self, learn, data, rows):
        params, optimiser = learn
        gradient = jax.grad(self._loss)(params, *(x[rows] for x in data))
        change, optimiser = self.optimiser.update(gradient, optimiser)
        return optax.apply_updates(params, change), optimiser

    def _loss(self, params, observation, action, old_log_prob, old_value, advantage):
        config = self.config
        head, value = mlp(params["actor"], observation), mlp(params["critic"], observation)[..., 0]
        target = advantage + old_value
        near = old_value + jnp.clip(value - old_value, -config.clip, config.clip)
        critic = 0.5 * jnp.maximum((value - target) ** 2, (near - target) ** 2).mean()
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = jnp.exp(self.head.log_prob(head, action) - old_log_prob)
        clipped = jnp.clip(ratio, 1 - config.clip, 1 + config.clip)
        actor = -jnp.minimum(ratio * advantage, clipped * advantage).mean()
        return actor + config.critic * critic - config.entropy * self.head.entropy(head).mean()


def train(config):
    """Train every checkpoint and write it to the working folder. Gives the mean return of the last episodes."""
    trainer = Trainer(config)
    keys = jax.random.split(jax.random.key(config.seed), config.checkpoints)
    updates = max(1, config.steps // (config.environments * config.rollout))
    if jax.default_backend() == "cpu":
        quick = {"xla_backend_optimization_level": 0} if updates < 100 else None  # compiling would take longer
        begin = jax.jit(trainer.begin, compiler_options=quick)
        update = jax.jit(trainer.update, donate_argnums=0, compiler_options=quick)
        returns = []
        for index, key in enumerate(keys):
            state = run(begin, update, key, updates, f"checkpoint {index}")
            returns.append(float(state.finished.mean()))
            save(state.params, index)
        return float(np.mean(returns))
    begin, update = jax.jit(jax.vmap(trainer.begin)), jax.jit(jax.vmap(trainer.update), donate_argnums=0)
    state = run(begin, update, keys, updates, "all checkpoints")
    for index in range(config.checkpoints):
        save(jax.tree.map(lambda leaf, index=index: leaf[index], state.params), index)
    return float(state.finished.mean())


def run(begin, update, keys, updates, name):
    started, state = time.monotonic(), begin(keys)
    for done in range(1, updates + 1):
        state = update(state)
        if done == updates or done % max(1, updates // 10) == 0:
            returns = ", ".join(f"{value:.2f}" for value in np.atleast_1d(state.finished.mean(-1)))
            took = time.monotonic() - started
            print(f"{name}: update {done} of {updates}, {took:.0f} s, last returns {returns}", flush=True)
    return state


def save(params, index):
    """One checkpoint: actor.<layer>.weight, actor.<layer>.bias, and the critic's, float32."""
    tensors = {
        f"{part}.{number}.{name}": np.ascontiguousarray(value, np.float32)
        for part, layers in params.items()
        for number, layer in enumerate(layers)
        for name, value in layer.items()
    }
    save_file(tensors, f"checkpoint-{index}.safetensors")


def _flat(observation):
    return observation.reshape(observation.shape[0], -1)
