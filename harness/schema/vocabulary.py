"""Words that several documents share, as types. Takes nothing, gives Literals and signs; never imports a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Direction = Literal["max", "min"]
SIGN: Mapping[Direction, int] = {"max": 1, "min": -1}
"""Times this, more is better."""
Domain = Literal["data-science", "algorithms", "game-theory", "vision", "vision-language", "language", "rl"]
ProfileName = Literal["official", "smoke"]
Split = Literal["validation", "sealed"]
