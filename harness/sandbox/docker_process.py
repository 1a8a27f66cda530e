"""A grader program in a container of its own. Takes a created container; gives harness.sandbox.base.Process."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.engine import engine_call
from harness.errors import SandboxError, StillRunning
from harness.sandbox.cgroup import cpu_counter, read_cpu_s
from harness.sandbox.docker_box import engine_of
from harness.sandbox.docker_stream import EngineStream
from harness.sandbox.lifeline import Lifeline
from harness.sandbox.program import Conversation

if TYPE_CHECKING:
    from docker import APIClient
    from docker.models.containers import Container

KILLED = 137
FREEZE_S = 15.0
FREEZE_FAILS = re.compile(r"unable to freeze|waiting for the cgroup to freeze|/(runc|crun) pause \w+` failed")
"""Docker's words for both versions of cgroups, and Podman's, who keeps runc's to itself."""
BELIEVED_PAUSED, BELIEVED_RUNNING = re.compile("is already paused"), re.compile("is not paused")


def pause_patiently(api: APIClient, container: str, patience_s: float = FREEZE_S) -> None:
    """Pause; on a busy machine the kernel may fail to freeze a group in the moment that runc grants it, so ask again.

    The engine believes events, which come late: it may take a running container for a paused one, or have one paused
    whose freeze it said had failed. Such a one is resumed first, and is paused when the engine has said so.
    Raises docker.errors.APIError: at once for any other reason, after `patience_s` for these.
    """
    from docker.errors import APIError

    def pause() -> None:
        try:
            api.pause(container)
        except APIError as error:
            if BELIEVED_PAUSED.search(str(error)):
                with suppress(APIError):
                    api.unpause(container)
            raise

    _patiently(pause, re.compile(f"{FREEZE_FAILS.pattern}|{BELIEVED_PAUSED.pattern}"), patience_s)


def resume_patiently(api: APIClient, container: str, patience_s: float = FREEZE_S) -> None:
    """Resume; an engine that has not heard yet of the pause is asked again. Raises as `pause_patiently` does."""
    _patiently(lambda: api.unpause(container), BELIEVED_RUNNING, patience_s)


def _patiently(ask: Callable[[], object], passing: re.Pattern[str], patience_s: float) -> None:
    """Ask until it is granted, for so long if what stands against it is `passing`."""
    from docker.errors import APIError

    deadline, wait_s = time.monotonic() + patience_s, 0.02
    while True:
        try:
            ask()
        except APIError as error:
            if not passing.search(str(error)) or time.monotonic() >= deadline:
                raise
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 1.0)
        else:
            return


class DockerProcess(Conversation):
    """Attached before it starts, so that no byte is missed. The engine keeps no log: what is not read is lost."""

    def __init__(
        self, role: Literal["referee", "player"], container: Container, remove: Callable[[], None], life: Lifeline
    ) -> None:
        self._life = life
        self._remove = remove
        self._code: int | None = None
        self._cpu_s = 0.0
        self._counter: Path | None = None
        self._api = engine_of(container)
        self._id = str(container.id)
        with engine_call(f"starting the {role}"):
            wrapper = self._api.attach_socket(self._id, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            # The socket ends with the container; asking the engine after each silence would only cost time.
            self._stream = EngineStream(wrapper, ask_exit=lambda: None, ask_stalled=self.exit_code)
            container.start()
        super().__init__(self._stream, role)

    def exit_code(self) -> int | None:
        if self._code is None:
            with engine_call("asking after a grader program"):
                state = self._api.inspect_container(self._id)["State"]
            if not state["Running"]:
                self._code = int(state["ExitCode"])
                if self._role == "referee" and self._code == KILLED and not state["OOMKilled"]:
                    self._life.killed(self._id)  # our own code, alone in there
        return self._code

    def pause(self) -> None:
        from docker.errors import APIError

        with engine_call("pausing a grader program"):
            try:
                pause_patiently(self._api, self._id, FREEZE_S)
            except APIError as error:
                if FREEZE_FAILS.search(str(error)):
                    raise StillRunning(
                        f"the {self._role} did not stand still within {FREEZE_S:g} s: {error}"
                    ) from error
                raise

    def resume(self) -> None:
        with engine_call("resuming a grader program"):
            resume_patiently(self._api, self._id)

    def cpu_s(self) -> float:
        """From the container's cgroup, so every process that ever ran counts. After its end: the last value asked."""
        if self._code is None:
            self._cpu_s = max(self._cpu_s, self._measured_cpu_s())
        return self._cpu_s

    def _measured_cpu_s(self) -> float:
        with engine_call("measuring a grader program"):
            if self._counter is None:
                state = self._api.inspect_container(self._id)["State"]
                self._counter = cpu_counter(self._id, int(state["Pid"]))
            if self._counter is not None:
                with suppress(OSError):
                    return read_cpu_s(self._counter)
            stats = self._api.stats(self._id, stream=False, one_shot=True)
        return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9

    def kill(self) -> None:
        try:
            if self.exit_code() is None:
                self._code = KILLED
        except SandboxError:
            self._code = KILLED
        try:
            self._remove()
        finally:
            self.join()
            self._stream.close()
