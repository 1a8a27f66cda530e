"""Acts with trained policies: the player's side of policy_rollouts.py.

Messages: `start` {"file", "seed", "numpy": true, "checkpoints": [file, ...], "actions": "i4" or "f4"} loads every
checkpoint with the artifact's `load(path)`. Then `act` {"checkpoint": number, "key": [u32, u32]} with `observations`
(f4, (environments, ...)) and `reset` (u1, (environments,)), once a time step; reply: `actions`, from the artifact's
`act(policy, observations, reset, key)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .artifact import load_functions

if TYPE_CHECKING:
    from .wire import Array, Message

KINDS = {"i4": "integers", "f4": "real numbers"}


class PolicyAdapter:
    """Keeps what `load` returned for every checkpoint; each call gets arrays of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._act: Callable[..., Any]
        self._policies: list[Any] = []
        self._dtype = "i4"

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        meta = message.meta
        if message.kind == "start":
            load, self._act = load_functions(self._folder, meta, ["load", "act"])
            self._policies = [load(self._folder / name) for name in meta["checkpoints"]]
            self._dtype = meta["actions"]
            return {}, {}
        observations, reset = message.arrays["observations"].copy(), message.arrays["reset"].astype(bool)
        answer = self._act(self._policies[meta["checkpoint"]], observations, reset, np.array(meta["key"], np.uint32))
        return {}, {"actions": as_actions(answer, self._dtype)}


def as_actions(answer: Any, dtype: str) -> Array:
    """What `act` returned as an array of this wire dtype; whether it fits the environment is the referee's business.

    Raises TypeError for anything but integers (i4) or numbers (f4), and for integers beyond 32 bits.
    """
    array = np.asarray(answer)
    if array.dtype.kind not in ("iu" if dtype == "i4" else "iuf"):
        raise TypeError(f"act returned {array.dtype} of shape {array.shape}; actions are {KINDS[dtype]}")
    if dtype == "i4" and array.size and not (-(2**31) <= int(array.min()) <= int(array.max()) < 2**31):
        raise TypeError(f"act returned {array.min()} to {array.max()}; actions are 32-bit integers")
    with np.errstate(over="ignore"):
        return array.astype("<" + dtype)
