"""Reads every file that a player of this container could read, so that the page cache says nothing of an earlier one.

Run as a program of its own between two players that must not know of each other. Standard library only. Prints `read`
at the end and nothing else; a file that cannot be opened can carry no sign either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

CHUNK = 1 << 24
ELSEWHERE = frozenset(["/proc", "/sys", "/dev", "/tmp"])  # noqa: S108 - made anew for every container


def files(folder: str) -> Iterator[str]:
    """Every regular file below `folder`; no link is followed."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if entry.path not in ELSEWHERE:
                yield from files(entry.path)
        elif entry.is_file(follow_symlinks=False):
            yield entry.path


def main() -> None:
    """Read all of it. Raises OSError where an open file cannot be read: then nothing has been evened out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for path in files("/"):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        offset = 0
        while sent := os.sendfile(nowhere, file, offset, CHUNK):
            offset += sent
        os.close(file)
    print("read", flush=True)


if __name__ == "__main__":
    main()
