"""rate-limits.json: until when a provider wants no more requests, for every process of a run.

Takes a provider's Retry-After, gives the seconds that are left of it. What one process was told holds the others back
too. A wall clock that jumps costs no more than one such wait: each process looks at it once a hold, and then counts by
itself. Never holds for longer than LONGEST_S: a longer wish is for each to hear itself.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from harness.files import replace_file

FILE = "rate-limits.json"
LONGEST_S = 600.0


class Holds:
    """The holds of one run, by model. The latest word on a model counts."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._ends: dict[tuple[str, float], float] = {}

    def hold(self, model: str, wait_s: float) -> None:
        """No request to `model` for so many seconds."""
        if wait_s > LONGEST_S or wait_s <= self.held_s(model):
            return
        until = time.time() + wait_s
        self._ends[model, until] = time.monotonic() + wait_s
        there = {**self._read(), model: {"until": until, "wait_s": wait_s}}
        replace_file(self._file, json.dumps(there, sort_keys=True).encode() + b"\n")

    def held_s(self, model: str) -> float:
        """Seconds until `model` may be asked; 0: now."""
        found = self._read().get(model)
        if found is None:
            return 0.0
        until, wait_s = float(found["until"]), float(found["wait_s"])
        if (model, until) not in self._ends:
            left = min(until - time.time(), wait_s)
            self._ends[model, until] = time.monotonic() + left
        return max(0.0, self._ends[model, until] - time.monotonic())

    def _read(self) -> dict[str, Any]:
        try:
            there: dict[str, Any] = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        return there
