"""Which process made a place, so that what a dead one left can be told from what a living one uses.

Gives a name `<pid>-<start>-<boot>-<namespace>`, whether its owner is dead, and the prefix of its temporary folders.
Never says dead of an owner that it cannot see: another machine's or another container's.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from harness.sandbox.supervisor import stat_fields

PREFIX = "gymboard."


def owner() -> str:
    """The name of this process; unique on this machine until the next boot."""
    return f"{os.getpid()}-{_start(os.getpid())}-{_here()}"


def is_dead(name: str) -> bool:
    """Whether `name` was a process of this machine and boot, visible from here, and is gone."""
    pid, _, rest = name.partition("-")
    start, _, where = rest.partition("-")
    return pid.isdigit() and where == _here() and start != _start(int(pid))


def folder_prefix() -> str:
    """How the temporary folders of this process begin."""
    return f"{PREFIX}{owner()}."


def reap_folders() -> None:
    """Remove the temporary folders of dead owners."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        if is_dead(folder.name.removeprefix(PREFIX).partition(".")[0]):
            remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove it however deep and however locked: what lies in it is an agent's. Another engine may do it meanwhile."""
    for words in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*words, "--", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _start(pid: int) -> str:
    try:
        fields = stat_fields(pid)
    except OSError:
        return "gone"
    return "gone" if fields[0] in "ZX" else fields[19]  # one that nobody has waited for yet holds nothing any more


@cache
def _here() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    return f"{boot}-{Path('/proc/self/ns/pid').readlink().name[5:-1]}"
