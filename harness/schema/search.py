"""Hyperparameter: one number or choice of a starter that a plain search may turn, declared in task.toml.

Takes and gives records. The starter reads its value from the environment as GYMBOARD_HP_<NAME>, the default when it is
not set. Never decides how the search goes.
"""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from harness.schema.base import Record

Value = int | float | str
_WORD = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Hyperparameter(Record):
    """float and int: from `low` to `high`, both included, `log` for a search over orders of magnitude.
    choice: one of `choices`, words that need no quoting in a shell. `default` is the untouched starter's value.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    kind: Literal["float", "int", "choice"]
    default: Value
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that carries it."""
        return f"GYMBOARD_HP_{self.name.upper()}"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if fault := self._choice_fault() if self.kind == "choice" else self._range_fault():
            raise ValueError(f"hyperparameter {self.name}: {fault}")
        return self

    def _choice_fault(self) -> str | None:
        if self.low is not None or self.high is not None or self.log:
            return "a choice has neither low nor high nor log"
        if len(set(self.choices)) < 2 or not all(map(_WORD.fullmatch, self.choices)):
            return "needs two or more different choices made of letters, digits, '.', '_' and '-'"
        return None if self.default in self.choices else f"its default {self.default!r} is none of its choices"

    def _range_fault(self) -> str | None:
        if self.low is None or self.high is None or self.choices:
            return f"a parameter of kind {self.kind} needs low and high, and has no choices"
        if not self.low < self.high or (self.log and self.low <= 0):
            return "needs low < high, and low > 0 when log is set"
        if self.kind == "int" and not (self.low.is_integer() and self.high.is_integer() and type(self.default) is int):
            return "low, high and default of an int are whole numbers"
        if isinstance(self.default, str) or not self.low <= self.default <= self.high:
            return f"its default {self.default!r} is no number from low to high"
        return None
