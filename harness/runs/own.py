"""What of a run's folder is read: regular files that lie in it, none of them endless.

Takes the folder and a name in it, gives whether there is such a file. Never follows a link, never waits for a pipe,
never reads.
"""

from __future__ import annotations

import stat
from pathlib import Path

from harness.errors import UsageError

MOST_BYTES = 256 << 20
"""Of a log; what is larger could not be packed either (harness.payload)."""


def own_file(run: Path, name: str, most: int = MOST_BYTES) -> bool:
    """Whether `run` has a file `name` of its own, of at most `most` bytes. Raises UsageError when something else is
    there, or more, or when a link is on the way; OSError when it cannot be looked at."""
    at = run
    for part in Path(name).parts:
        at = at / part
        try:
            there = at.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stat.S_ISLNK(there.st_mode):
            raise UsageError(f"{at.relative_to(run)} is a link; a run's files are its own")
    if not stat.S_ISREG(there.st_mode):
        raise UsageError(f"{name} is no regular file")
    if there.st_size > most:
        raise UsageError(f"{name} has {there.st_size:,} bytes; {most:,} are read at most")
    return True
