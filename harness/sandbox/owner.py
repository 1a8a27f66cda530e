"""Which process made a place, so that what a dead one left can be told from what a living one uses.

Gives a name `<pid>-<start>-<boot>-<namespace>` and whether its owner is dead. Never says dead of an owner that it
cannot see: another machine's or another container's.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from harness.sandbox.supervisor import stat_fields


def owner() -> str:
    """The name of this process; unique on this machine until the next boot."""
    return f"{os.getpid()}-{_start(os.getpid())}-{_here()}"


def is_dead(name: str) -> bool:
    """Whether `name` was a process of this machine and boot, visible from here, and is gone."""
    pid, _, rest = name.partition("-")
    start, _, where = rest.partition("-")
    return pid.isdigit() and where == _here() and start != _start(int(pid))


def _start(pid: int) -> str:
    try:
        return stat_fields(pid)[19]
    except OSError:
        return "gone"


@cache
def _here() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    return f"{boot}-{Path('/proc/self/ns/pid').readlink().name[5:-1]}"
