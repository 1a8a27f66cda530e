"""Locks on folders that processes share. Takes a folder, holds or removes it; never removes what another holds."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path


class Hold:
    """A lock on a folder, released when this object goes or its process ends, however it ends."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        """Raises OSError when the folder is gone or held by somebody else in a way that excludes this one."""
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let go; once is enough."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.release()


def remove(folder: Path) -> bool:
    """Remove the folder unless somebody holds it; whether it is gone."""
    try:
        hold = Hold(folder, alone=True)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    hold.release()
    return not folder.exists()
