"""The container engine: the one that answers, and the wait for one that has stopped answering.

Takes DOCKER_HOST (or the socket's usual place), gives a client. Waits only for an engine that was there, refuses or is
silent: where no socket is, nobody is coming. Never starts or restarts an engine.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

from harness.errors import EngineUnavailable, PlaceLost, SandboxError, UsageError

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger("gymboard.engine")
START_WAIT_S = 30.0
"""For an engine that refuses when a run begins."""
UNIX_SOCKET = "http+docker://localhost"
WAIT_VARIABLE = "GYMBOARD_ENGINE_WAIT_S"
WAIT_S = 300.0
"""For an engine that a run had, when the environment's GYMBOARD_ENGINE_WAIT_S does not say otherwise."""
CALL_S = 60
ADVICE = (
    "Start one (systemctl start docker, or Docker Desktop), point DOCKER_HOST at one, or choose the local sandbox "
    "(--sandbox local)"
)
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


def connect(wait_s: float = 0.0) -> DockerClient:
    """A client of the container engine that answers; one that is starting is waited for. Raises EngineUnavailable,
    saying how to start one."""
    import docker

    for _ in _patience(wait_s):
        try:
            client = docker.from_env(timeout=CALL_S)
            if client.api.base_url == UNIX_SOCKET:
                client.api.trust_env = False  # no proxy leads there; to look for one takes a third of a call
            client.ping()
        except (docker.errors.DockerException, requests.RequestException) as error:
            why = error
            if not _may_answer_later(error):
                break
        else:
            return client
    raise EngineUnavailable(f"a container engine was asked for, none answers ({why}). {ADVICE}")


def await_engine(client: DockerClient, wait_s: float) -> None:
    """Until the engine of this client answers again. Raises EngineUnavailable after `wait_s`."""
    from docker.errors import DockerException

    for _ in _patience(wait_s):
        try:
            client.ping()
        except (DockerException, requests.RequestException) as error:
            why = error
        else:
            return
    raise EngineUnavailable(
        f"the container engine stopped answering and did not come back within {wait_s:g} s ({why}). Start it "
        "(systemctl start docker), then go on with --resume: nothing that is on disk is lost or paid again"
    )


def patience_s() -> float:
    """How long a run waits for its engine. Raises UsageError when the environment names no number of seconds."""
    text = os.environ.get(WAIT_VARIABLE, "")
    try:
        wait_s = float(text) if text else WAIT_S
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= 86_400:
        raise UsageError(f"{WAIT_VARIABLE} takes seconds, 0 to 86400; it was {text!r}")
    return wait_s


@contextmanager
def engine_call(doing: str) -> Iterator[None]:
    """What the engine answers badly becomes a SandboxError that says what was asked of it; that it does not answer at
    all, PlaceLost."""
    from docker.errors import DockerException

    try:
        yield
    except LOST as error:
        raise PlaceLost(f"{doing}: the container engine does not answer: {error}") from error
    except (DockerException, requests.RequestException) as error:
        raise SandboxError(f"{doing}: the container engine says: {error}") from error


def _patience(wait_s: float) -> Iterator[None]:
    """One try at once, then one a while until the time is over; says once that it waits."""
    deadline, pause_s = time.monotonic() + wait_s, 0.1
    yield
    while (left_s := deadline - time.monotonic()) > 0:
        if pause_s == 0.1:
            log.warning("the container engine does not answer; waiting up to %g s for it", wait_s)
        time.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, 2.0)
        yield


def _may_answer_later(error: BaseException) -> bool:
    """Whether its socket is there: it refused, broke off or was silent."""
    causes = _causes(error, set())
    return any(isinstance(cause, ConnectionError | TimeoutError | requests.Timeout) for cause in causes)


def _causes(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    """The error and all that it was made from, however it is nested."""
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    for below in (error.__cause__, error.__context__, *error.args):
        if isinstance(below, BaseException):
            yield from _causes(below, seen)
