"""The local engine: places made of plain processes, for machines without a container engine.

Takes the same specs as docker.py and gives the same answers. What it does NOT protect, so that nobody relies on it:

- the network and other processes, the harness among them, unless the harness is root (then every program gets an empty
  network and a process namespace of its own; without root an agent can end or read whatever its user can);
- reading: programs see every file of this machine that their user may read, prepared labels included;
- writing, unless the harness is root and the user can be dropped (then agent, referee and player run as three
  unprivileged users; else all as the harness's own user: as root without capabilities, who still owns root's files);
- cpus, number of processes and disk: a fork bomb hurts the machine until its deadline. Memory is limited a process.

Bundles made with it say `sandbox = "local"` and never rise above `signed`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from harness import images
from harness.errors import EngineUnavailable
from harness.sandbox.base import NOBODY, BoxSpec, EngineKind, ProcessSpec
from harness.sandbox.local_box import LocalSandbox
from harness.sandbox.local_process import LocalProcess
from harness.sandbox.owner import is_dead, owner

PREFIX = "gymboard."


class LocalEngine:
    """Starts places under the machine's temporary folder. `uid` is the agent's user when the harness is root; the
    referee gets the next lower one and the player the one below."""

    kind: EngineKind = "local"

    def __init__(self, uid: int = NOBODY) -> None:
        if not sys.platform.startswith("linux"):
            raise EngineUnavailable("the local sandbox needs Linux (/proc); install a container engine instead")
        self._uid = uid
        self._places: dict[Path, LocalSandbox | LocalProcess | None] = {}
        _reap()
        atexit.register(self.close)

    def image_digest(self, family: str) -> str:
        images.environment_folder(family)
        return images.environment_digest(family)

    def sandbox(self, spec: BoxSpec) -> LocalSandbox:
        venv = images.environment_folder(spec.image)
        folder = self._folder()
        user = self._user(self._uid, [folder, venv, *spec.mounts.values()], venv)
        box = LocalSandbox(spec, folder, venv, user, lambda: self._remove(folder))
        self._places[folder] = box
        return box

    def shared_folder(self) -> str:
        folder = self._folder()
        if os.geteuid() == 0:
            os.chown(folder, self._uid - 1, self._uid - 1)
        folder.chmod(0o755)
        return str(folder)

    def drop_shared(self, name: str) -> None:
        folder = Path(name)
        if folder in self._places:
            self._remove(folder)

    def process(self, spec: ProcessSpec) -> LocalProcess:
        venv = images.environment_folder(spec.image)
        folder = self._folder()
        uid = self._uid - (1 if spec.role == "referee" else 2)
        user = self._user(uid, [folder, venv, *spec.mounts.values()], venv)
        process = LocalProcess(spec, folder, venv, user, lambda: self._remove(folder))
        self._places[folder] = process
        return process

    def close(self) -> None:
        for folder, place in list(self._places.items()):
            if isinstance(place, LocalSandbox):
                place.close()
            elif place is not None:
                place.kill()
            self._remove(folder)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{owner()}."))
        folder.chmod(0o711)
        self._places[folder] = None
        return folder

    def _remove(self, folder: Path) -> None:
        if folder.exists():
            _unlock(folder)
            shutil.rmtree(folder)
        self._places.pop(folder, None)

    def _user(self, uid: int, needed: Iterable[Path], venv: Path) -> int | None:
        """`uid` when the harness may become it and it can read what it needs, else None: stay who we are."""
        if os.geteuid() != 0:
            return None
        script = 'test -x "$1" || exit 1; shift; for p; do test -x "$p" || exit 1; done'
        names = [str(venv / "bin" / "python"), *map(str, needed)]
        probe = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *names], user=uid, group=uid, extra_groups=[], cwd="/", check=False
        )
        return uid if probe.returncode == 0 else None


def _unlock(folder: Path) -> None:
    """Let the owner into every folder again, top down; what ran in there is dead, so nothing is swapped meanwhile."""
    for here, below, _ in os.walk(folder):
        for path in (Path(here) / name for name in below):
            if not path.is_symlink():
                path.chmod(0o700)


def _reap() -> None:
    """Remove folders whose owner died; its supervisors have ended the programs when it did."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        name = folder.name.removeprefix(PREFIX).partition(".")[0]
        if is_dead(name):
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
