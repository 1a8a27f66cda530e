"""The local engine: places made of plain processes, for machines without a container engine.

Takes the same specs as docker.py and gives the same answers. What it does NOT protect, so that nobody relies on it:

- the network and other processes, the harness among them, unless the harness is root (then every program gets a
  loopback and a process namespace of its own; without root an agent can end or read whatever its user can);
- reading: programs see every file of this machine that their user may read, prepared labels included;
- writing, unless the harness is root (then agent, referee and player run as three unprivileged users, never as root;
  else all run as the harness's own user);
- cpus, number of processes and disk: a fork bomb hurts the machine until its deadline. Memory is limited a process.

Bundles made with it say `sandbox = "local"` and never rise above `signed`.
"""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from pathlib import Path
from typing import Self

from harness import images
from harness.errors import EngineUnavailable
from harness.sandbox.base import BoxSpec, EngineKind, ProcessSpec
from harness.sandbox.local_box import LocalSandbox
from harness.sandbox.local_process import LocalProcess
from harness.sandbox.owner import folder_prefix, reap_folders, remove_folder

AGENT_UID = 61534
"""The agent's user when the harness is root: not one that graders in containers of the same machine run as."""


class LocalEngine:
    """Starts places under the machine's temporary folder. `uid` is the agent's user when the harness is root; the
    referee gets the next lower one and the player the one below."""

    kind: EngineKind = "local"

    def __init__(self, uid: int = AGENT_UID) -> None:
        if not sys.platform.startswith("linux"):
            raise EngineUnavailable("the local sandbox needs Linux (/proc); install a container engine instead")
        self._uid = uid
        self._places: dict[Path, LocalSandbox | LocalProcess | None] = {}
        reap_folders()  # a dead owner's supervisors have ended its programs
        atexit.register(self.close)

    def image_digest(self, family: str) -> str:
        images.environment_folder(family)
        return images.environment_digest(family)

    def agent_image(self, family: str) -> str:
        return family

    def gpu_names(self) -> tuple[str, ...]:
        return ()

    def sandbox(self, spec: BoxSpec) -> LocalSandbox:
        venv = images.environment_folder(spec.image)
        folder = self._folder()
        box = LocalSandbox(spec, folder, venv, self._user(self._uid), lambda: self._remove(folder))
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
        process = LocalProcess(spec, folder, venv, self._user(uid), lambda: self._remove(folder))
        self._places[folder] = process
        return process

    def life(self) -> LocalEngine:
        return self

    def check(self) -> None:
        """Nothing to lose: a place's parent is a process of this very machine, and dies with it."""

    def recover(self) -> None:
        """Nothing to wait for."""

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
        folder = Path(tempfile.mkdtemp(prefix=folder_prefix()))
        folder.chmod(0o711)
        self._places[folder] = None
        return folder

    def _remove(self, folder: Path) -> None:
        remove_folder(folder)
        self._places.pop(folder, None)

    def _user(self, uid: int) -> int | None:
        """The user that a place runs as: never root; an ordinary user's places can only run as that user."""
        return uid if os.geteuid() == 0 else None
