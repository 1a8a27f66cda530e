"""One at a time on this machine: who makes what everybody needs, and who waits for it to be made.

Takes a name, holds a lock of the kernel's on a file in Gymboard's home while the caller works. A holder that dies frees
it. Never decides whether there is work left: who had to wait looks again.
"""

from __future__ import annotations

import fcntl
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import UsageError, in_words
from harness.home import home


@contextmanager
def turn(name: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the turn called `name`. The machine is part of the file's name: a home may be shared by a cluster.

    Raises UsageError when nothing can be made in the home.
    """
    folder = home() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        advice = "set GYMBOARD_HOME to a folder of yours"
        raise UsageError(f"nothing can be kept in {home()}: {in_words(error)}; {advice}") from None
    file = folder / re.sub(r"[^A-Za-z0-9._-]", "-", f"{name}@{socket.gethostname()}")
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is making {name}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
