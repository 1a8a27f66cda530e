"""What every process of a test run needs and one of them makes: a folder that lasts as long as the run.

Takes a name and a maker, gives the folder; who asks while another process makes it waits. Never changes it afterwards.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(places: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name in the run's temporary folder. `make` gets its path, at which nothing lies yet."""
    base = places.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each process has a folder of its own in the run's
        base = base.parent
    folder, made = base / f"once-{name}", base / f"once-{name}.made"
    with (base / f"once-{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that failed at it
            make(folder)
            made.touch()
    return folder
