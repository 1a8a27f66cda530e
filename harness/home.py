"""Where Gymboard keeps what it can make again: prepared data and environments. Takes GYMBOARD_HOME, gives a folder."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """GYMBOARD_HOME, else gymboard/ in the user's cache folder. Not created here.

    Root's is under /var/cache: the local sandbox runs programs as another user, who cannot enter root's home.
    """
    if named := os.environ.get("GYMBOARD_HOME"):
        return Path(named).resolve()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "gymboard"
    return (Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache") / "gymboard"
