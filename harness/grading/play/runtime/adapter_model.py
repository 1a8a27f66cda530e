"""Asks a language model for claims and for next-token distributions: the player's side of a claims grade.

Messages: `start` {"file", "checkpoint", "seed"}, then either `claims` with `sequences` (i4, (batch, length + 1)),
answered with `claims` (f4, (batch, length)), or `next` with `prefix` (i4, (length,)), answered with `distribution` (f4,
(vocabulary,)). The artifact's file defines load(path), claims(model, sequences) and next_token(model, prefix).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .artifact import load_functions

if TYPE_CHECKING:
    from .wire import Array, Message


class ModelAdapter:
    """Holds the loaded model; every call gets arrays of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claims: Callable[..., Any]
        self._next: Callable[..., Any]
        self._model: Any

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        if message.kind == "start":
            functions = load_functions(self._folder, {**message.meta, "numpy": True}, ["load", "claims", "next_token"])
            load, self._claims, self._next = functions
            self._model = load(str(self._folder / message.meta["checkpoint"]))
            return {}, {}
        if message.kind == "claims":
            return {}, {"claims": _floats(self._claims(self._model, _tokens(message, "sequences")))}
        return {}, {"distribution": _floats(self._next(self._model, _tokens(message, "prefix")))}


def _tokens(message: Message, name: str) -> Array:
    return message.arrays[name].astype(np.int64)


def _floats(answer: Any) -> Array:
    return np.asarray(answer, dtype="<f4")
