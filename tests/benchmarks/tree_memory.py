"""How much memory a program and all that it starts need at their peak, as a machine must have it.

Takes a command, runs it to its end, gives its output and two peaks in MB. `tree`: what all its processes have of their
own, added up, and the pages of files (libraries) of the one that has most of them: these are the same files, and one
copy of each serves all. Looked at every 50 ms. `process`: the largest resident set of any one of them, as GNU time has
it; of a program that starts no other both are the same but for what comes and goes between two looks.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LOOK_S = 0.05


class Ran(NamedTuple):
    """What came out, and the peaks in MB."""

    output: bytes
    tree: float
    process: float


def ran(command: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run it. Raises CalledProcessError where it fails."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        done, found = threading.Event(), [0.0]

        def look() -> None:
            while not done.wait(LOOK_S):
                found[0] = max(found[0], now(process.pid))

        looking = threading.Thread(target=look)
        looking.start()
        output = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        looking.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Ran(output, max(found[0], 0.0), used.ru_maxrss / 1024)


def now(root: int) -> float:
    """MB of the process and all below it; what has ended meanwhile has none."""
    own, files = 0, 0
    for process in _tree(root):
        kib = dict.fromkeys(("Rss", "Anonymous"), 0)
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        kib |= {name: int(rest.split()[0]) for name, _, rest in _fields(text) if name in kib}
        own, files = own + kib["Anonymous"], max(files, kib["Rss"] - kib["Anonymous"])
    return (own + files) / 1024


def _fields(text: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(":") for line in text.splitlines()[1:])


def _tree(root: int) -> Iterator[int]:
    yield root
    for tasks in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            below = tasks.read_text(encoding="ascii").split()
        except OSError:
            continue
        for process in below:
            yield from _tree(int(process))
