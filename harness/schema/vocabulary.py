"""Words that several documents share, as types. Takes nothing, gives Literals; never imports a record."""

from __future__ import annotations

from typing import Literal

Direction = Literal["max", "min"]
Domain = Literal["data-science", "algorithms", "game-theory", "vision", "vision-language", "language", "rl"]
ProfileName = Literal["official", "smoke"]
Split = Literal["validation", "sealed"]
