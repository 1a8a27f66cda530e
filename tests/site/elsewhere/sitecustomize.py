"""Another machine, for a program that is started with this folder in PYTHONPATH: folders list their files in an order
drawn from SHUFFLE, and there is one core."""

from __future__ import annotations

import os
import random
from typing import Any

_draw = random.Random(os.environ["SHUFFLE"])
_listdir, _scandir = os.listdir, os.scandir


class _Entries:
    """os.scandir's answer in another order."""

    def __init__(self, *path: Any) -> None:
        with _scandir(*path) as entries:
            self._left = sorted(entries, key=lambda entry: str(entry.name))
        _draw.shuffle(self._left)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        if not self._left:
            raise StopIteration
        return self._left.pop()

    def close(self) -> None:
        self._left = []


def _shuffled(*path: Any) -> list[Any]:
    names = sorted(_listdir(*path))
    _draw.shuffle(names)
    return names


os.listdir = _shuffled
os.scandir = _Entries  # type: ignore[assignment]
os.cpu_count = lambda: 1
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
