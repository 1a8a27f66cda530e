"""Asks a language model for claims and for next-token distributions: the player's side of a claims grade.

Messages: `start` {"file", "checkpoint", "seed"}, then either `claims` with `sequences` (i4, (batch, length + 1)),
answered with `claims` (f4, (batch, length)), or `next` with `prefix` (i4, (length,)), answered with `distribution` (f4,
(vocabulary,)). The artifact's file defines load(path), claims(model, sequences) and next_token(model, prefix).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from .artifact import load_module

if TYPE_CHECKING:
    from .wire import Array, Message


class ModelAdapter:
    """Holds the loaded model; every call gets arrays of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._module: ModuleType
        self._model: Any

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        if message.kind == "start":
            self._module = load_module(self._folder, {**message.meta, "numpy": True})
            self._model = self._function("load")(str(self._folder / message.meta["checkpoint"]))
            return {}, {}
        if message.kind == "claims":
            return {}, {"claims": self._ask("claims", message.arrays["sequences"])}
        return {}, {"distribution": self._ask("next_token", message.arrays["prefix"])}

    def _ask(self, name: str, tokens: Array) -> Array:
        return np.asarray(self._function(name)(self._model, tokens.astype(np.int64)), dtype="<f4")

    def _function(self, name: str) -> Callable[..., Any]:
        function = getattr(self._module, name, None)
        if not callable(function):
            raise TypeError(f"player.py does not define the function {name}")
        return function  # type: ignore[no-any-return]
