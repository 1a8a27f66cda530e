"""Words of every ranking, as types. Takes nothing, gives Literals and constants; never imports a record."""

from __future__ import annotations

from typing import Literal

SCORING_VERSION = "1.1.0"
BASELINE = "baseline"

Reading = Literal["season", "live", "mlgym-compat"]
Column = Literal["best", "last"]
"""best: of all attempts, the ceiling. last: of the final submissions, what was handed in. Both over the seeds."""
COLUMNS: tuple[Column, ...] = ("best", "last")
BoardId = Literal["published", "season"]
