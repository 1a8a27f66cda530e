"""Calls one function of the artifact with plain JSON arguments, many calls in a message.

Messages: `start` {"file", "function", "seed", "int_keys"}: `int_keys` lists the argument positions that are dicts
with integer keys (JSON has only strings). Then `call` {"calls": [[arg, ...], ...]}; the reply's meta is {"results":
[...]}, one a call and in order; tuples become lists, numpy scalars plain numbers. Every call gets arguments of its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .artifact import load_function

if TYPE_CHECKING:
    from .wire import Array, Message


class FunctionAdapter:
    """No state but the loaded function. Does not load numpy: the CPU time of a timed task is the artifact's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._function: Callable[..., Any]
        self._int_keys: tuple[int, ...] = ()

    def answer(self, message: Message) -> tuple[Mapping[str, Any], Mapping[str, Array]]:
        if message.kind == "start":
            self._function = load_function(self._folder, message.meta)
            self._int_keys = tuple(message.meta.get("int_keys", ()))
            return {}, {}
        calls, function = message.meta["calls"], self._function
        for position in self._int_keys:
            for call in calls:
                call[position] = {int(key): value for key, value in call[position].items()}
        return {"results": [_plain(function(*call)) for call in calls]}, {}


def _plain(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    item = getattr(value, "item", None)
    return item() if callable(item) and type(value).__module__ == "numpy" else value
