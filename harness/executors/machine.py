"""What this machine has for episodes, and what of it is free while some run.

Takes the kernel's and the container engine's word, the smaller of the two. Never measures a load: what an episode needs
is what its task.toml says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.engine import connect
from harness.executors.base import Needs
from harness.sandbox import open_engine
from harness.sandbox.base import EngineKind
from harness.sandbox.gpus import Gpus

GROUP = Path("/sys/fs/cgroup")
MEMORY_LIMITS = (GROUP / "memory.max", GROUP / "memory" / "memory.limit_in_bytes")


@dataclass(frozen=True)
class Machine:
    """Processors, memory that is free at the start, and how many GPUs agents may get."""

    cpus: float
    memory_mib: int
    gpus: int = 0


def this_machine(kind: EngineKind, *, gpus: bool = False) -> Machine:
    """This machine as episodes in such a sandbox have it, with all its GPUs when `gpus`. Raises EngineUnavailable."""
    cpus, memory_mib = float(_processors()), min(_memory_mib())
    if kind == "docker":
        info = connect().info()
        cpus, memory_mib = min(cpus, float(info["NCPU"])), min(memory_mib, int(info["MemTotal"]) >> 20)
    if not gpus:
        return Machine(cpus, memory_mib)
    with open_engine(kind, Gpus()) as engine:
        return Machine(cpus, memory_mib, len(engine.gpu_names()))


@dataclass
class Room:
    """What is free. `cpus` None: the user said how many episodes run, whatever they take of the processors."""

    cpus: float | None
    memory_mib: int

    def fits(self, needs: Needs) -> bool:
        """Whether an episode fits beside those that run."""
        return self.memory_mib >= needs.memory_mib and (self.cpus is None or self.cpus >= needs.cpus)

    def take(self, needs: Needs, sign: int = 1) -> None:
        """An episode begins; `give` when it has ended."""
        self.memory_mib -= sign * needs.memory_mib
        self.cpus = None if self.cpus is None else self.cpus - sign * needs.cpus

    def give(self, needs: Needs) -> None:
        """An episode has ended."""
        self.take(needs, -1)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_mib() -> Iterator[int]:
    yield (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) >> 20
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        yield int(lines["MemAvailable"].split()[0]) >> 10
    for file in MEMORY_LIMITS:
        if file.is_file() and (text := file.read_text().strip()).isdigit():
            yield int(text) >> 20
