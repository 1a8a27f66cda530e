"""An agent that begins when a test says so: once it is seen that every node has one."""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness.agents.base import Briefing
from tests.harness.executors.side import Steady

GATE = "GYMBOARD_TEST_GATE"
"""Names a folder: each agent puts a file with its process's number there, and goes on when `open` is among them."""


class Gated(Steady):
    """Steady, behind a gate."""

    def begin(self, briefing: Briefing) -> None:
        super().begin(briefing)
        gate = Path(os.environ[GATE])
        (gate / str(os.getpid())).touch()
        while not (gate / "open").exists():
            time.sleep(0.1)
