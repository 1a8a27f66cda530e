"""Room for one more container: disk and memory, looked at before it is made, so that nothing fails half way for want
of them.

Takes what the engine says of itself and what the kernel says is free; waits a moment for room, then refuses in words
that say how much is missing where. Judges only what it can see: an engine in a virtual machine or on another one keeps
its disk to itself.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine import UNIX_SOCKET, engine_call
from harness.errors import NoRoom

if TYPE_CHECKING:
    from docker import DockerClient

log = logging.getLogger("gymboard.engine")
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class Floors:
    """What must be free, in MiB, before a container is made, and how long it is waited for."""

    engine_disk_mib: int = 2048
    memory_mib: int = 512
    wait_s: float = 60.0


FLOORS = Floors()


@dataclass(frozen=True)
class Room:
    """One engine's. `disk`: where it keeps layers, None when not on this machine; `memory_mib`: all that it has."""

    disk: Path | None
    memory_mib: int

    @classmethod
    def of(cls, client: DockerClient) -> Room:
        """As the engine's own `info` says it."""
        with engine_call("asking the engine what it has"):
            info = client.info()
        root = Path(str(info.get("DockerRootDir") or "/nonexistent"))
        here = client.api.base_url == UNIX_SOCKET and root.is_dir()
        return cls(root if here else None, int(info.get("MemTotal") or 0) >> 20)

    @property
    def free_disk_mib(self) -> int:
        """Where layers are kept; 0 when that cannot be seen."""
        return 0 if self.disk is None else shutil.disk_usage(self.disk).free >> 20

    def demand(self, cap_mib: int) -> None:
        """Room for a container that may use `cap_mib` of memory. Raises NoRoom."""
        if self.disk is not None:
            demand_disk(self.disk, "the container engine's folder", FLOORS.engine_disk_mib)
            memory = min(cap_mib, FLOORS.memory_mib)
            _demand(free_memory_mib, memory, "memory for a container", "end something, or run fewer episodes at once")


def demand_disk(folder: Path, what: str, floor_mib: int) -> None:
    """Raises NoRoom when `folder` has less than `floor_mib` free, also after a moment."""

    def free_mib() -> int:
        return shutil.disk_usage(folder).free >> 20

    _demand(free_mib, floor_mib, f"disk in {what} ({folder})", "remove something there, or take another disk")


def free_memory_mib() -> int:
    """What the kernel could give a new program, without swapping (proc(5), MemAvailable)."""
    for line in MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) >> 10
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def _demand(free_mib: Callable[[], int], floor_mib: int, what: str, advice: str) -> None:
    deadline, told = time.monotonic() + FLOORS.wait_s, False
    while (free := free_mib()) < floor_mib:
        if time.monotonic() >= deadline:
            raise NoRoom(f"{free} MiB of {what} are free, {floor_mib} are needed; {advice}, then go on with --resume")
        if not told:
            log.warning(
                "%d MiB of %s are free, %d are needed; waiting up to %g s", free, what, floor_mib, FLOORS.wait_s
            )
            told = True
        time.sleep(0.5)
