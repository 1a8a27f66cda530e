"""Where Gymboard keeps what it can make again: prepared data and environments. Takes GYMBOARD_HOME, gives a folder."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """GYMBOARD_HOME, else gymboard/ in the user's cache folder. Not created here."""
    if named := os.environ.get("GYMBOARD_HOME"):
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gymboard"
