"""What the machine takes away is done again: a grade, or an episode from what is on disk.

Takes an engine and what to do, gives what it gives. Waits for the engine in between; tries a few times, because an
agent that could end its own container must not go on for ever. Never does again what was decided, whatever it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from harness.errors import EngineUnavailable, NoRoom, PlaceLost
from harness.sandbox.base import Engine

log = logging.getLogger("gymboard.engine")
TRIES = 4
Done = TypeVar("Done")


def steadily(engine: Engine, what: str, do: Callable[[], Done]) -> Done:
    """Do it, again when a place was lost under it. Raises EngineUnavailable and NoRoom, which have waited already, and
    the last PlaceLost."""
    tries = 1
    while True:
        try:
            return do()
        except (EngineUnavailable, NoRoom):
            raise
        except PlaceLost as lost:
            if tries == TRIES:
                raise
            log.warning("%s: %s; it is done again", what, lost)
            engine.recover()
            tries += 1
