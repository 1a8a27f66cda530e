"""Whether the machine took something away: one stream of the engine's own events, listened to while places run.

Takes a client and the label of what we made; knows afterwards whether the engine ended (the stream did) and whether
somebody else killed one of our graders (an event says so). Never guesses from an exit code, which a program can choose.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
from docker.errors import DockerException

from harness.engine import engine_call
from harness.errors import PlaceLost

if TYPE_CHECKING:
    from docker import DockerClient

KILLED = "kill"
NEWS_S = 0.2
"""What happened just now may take this long to be told."""


class Lifeline:
    """The Life (base.py) of every place that was begun under it. `ours`: whether we still want a grader, by id."""

    def __init__(self, client: DockerClient, label: str, ours: Callable[[str], bool]) -> None:
        self._client, self._ours = client, ours
        self._ended, self._let_go, self._killed = threading.Event(), False, ""
        with engine_call("listening to the engine"):
            self._events = client.api.events(filters={"label": label}, decode=True)
        threading.Thread(target=self._listen, name="gymboard-engine", daemon=True).start()

    def check(self) -> None:
        """Raises PlaceLost: the engine ended, or a grader of ours was killed from outside."""
        self.check_engine()
        deadline = time.monotonic() + NEWS_S
        while not self._killed and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._killed:
            raise PlaceLost(f"somebody outside killed the grader's container {self._killed[:12]}")

    def check_engine(self) -> None:
        """Raises PlaceLost: the engine ended, now or since."""
        with engine_call("asking whether the engine is there"):
            self._client.ping()
        if self._ended.is_set():
            raise PlaceLost("the container engine ended and was started again; what ran in it was lost")

    def killed(self, container: str) -> None:
        """A grader that nothing within can kill was killed."""
        self._killed = container

    def close(self) -> None:
        """Listen no more."""
        self._let_go = True
        with suppress(OSError, AttributeError):  # a stream that has ended has no socket
            self._events.close()

    def _listen(self) -> None:
        with suppress(requests.RequestException, DockerException, ValueError):  # each is the end of the stream
            for event in self._events:
                self._hear(event)
        if not self._let_go:
            self._ended.set()

    def _hear(self, event: dict[str, Any]) -> None:
        container = str(event.get("Actor", {}).get("ID", ""))
        if event.get("Action") == KILLED and self._ours(container):
            self._killed = container
