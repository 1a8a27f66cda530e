"""Files that are there whole or not at all. Takes a path and bytes, writes; never follows a link in the way."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(file: Path, data: bytes) -> Path:
    """Write beside under a name that nobody can guess, flush to disk, rename: readers see the old bytes or the new."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as beside:
        try:
            beside.write(data)
            beside.flush()
            os.fchmod(beside.fileno(), 0o644)
            os.fsync(beside.fileno())
            return Path(beside.name).replace(file)
        except BaseException:
            Path(beside.name).unlink(missing_ok=True)
            raise


def flush(path: Path) -> None:
    """What a file or a folder holds is on disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
