"""Which process made a place, so that what a dead one left can be told from what a living one uses.

Gives a name `<pid>-<start>-<boot>-<namespace>`, whether its owner is dead, and the prefix of its temporary folders.
Never says dead of an owner that it cannot see: another machine's or another container's.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
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
            with suppress(OSError):  # another engine may be doing the same at this moment
                remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove what foreign code filled, however deep it lies and whoever was let in; nothing runs in there any more.

    By chmod and rm, which follow no link and know no depth: Python's own removal ends at a thousand folders. Raises
    OSError when something is left.
    """
    for words in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        done = subprocess.run([*words, "--", str(folder)], capture_output=True, text=True, check=False)
    if folder.exists():
        raise OSError(f"{folder} cannot be removed: {done.stderr.strip()[:500]}")


def _start(pid: int) -> str:
    try:
        return stat_fields(pid)[19]
    except OSError:
        return "gone"


@cache
def _here() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    return f"{boot}-{Path('/proc/self/ns/pid').readlink().name[5:-1]}"
