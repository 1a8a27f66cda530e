"""Whether the head of a Ray cluster is still there. Ray waits for a lost one for a minute, and then ends the process
that waits without a word and without its `finally`: whoever wants to end in order looks before that.

Takes the head's address, gives a yes or no at each look. Never speaks Ray: a connection that is taken is enough.
"""

from __future__ import annotations

import os
import socket
import time

from harness.errors import GymboardError

RAY_WAITS = "RAY_gcs_rpc_server_reconnect_timeout_s"
SHARE = 0.5
"""Of the time that Ray waits: the rest is for containers to be removed in."""
LOOK_S, ANSWER_S = 2.0, 5.0


class ClusterLost(GymboardError):
    """The cluster does not answer any more; what was finished or paid is in the run's folder."""


class Head:
    """The head of the cluster at `address`, host:port."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._where = host.strip("[]"), int(port)
        self._patience_s = SHARE * float(os.environ.get(RAY_WAITS, "60"))
        self._looked = time.monotonic()
        self._silent_since: float | None = None

    def lost(self) -> bool:
        """Whether it has been seen silent for half of the time that Ray gives it. Looks every LOOK_S at most."""
        if time.monotonic() - self._looked < LOOK_S:
            return False
        self._looked = time.monotonic()
        try:
            with socket.create_connection(self._where, timeout=ANSWER_S):
                self._silent_since = None
                return False
        except OSError:
            self._silent_since = self._silent_since or self._looked
        return self._looked - self._silent_since >= self._patience_s
