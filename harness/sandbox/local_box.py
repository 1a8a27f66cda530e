"""An agent's place made of plain processes: a folder, a shell below a supervisor. local.py says what it leaves open."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from harness.errors import InvalidArtifact, SandboxError
from harness.sandbox import inside
from harness.sandbox.base import BoxSpec, EngineKind, ExecResult
from harness.sandbox.patch import FILE_CAP_BYTES, patch_text, starter_digests
from harness.sandbox.places import environment_of, reach_of
from harness.sandbox.shell import ARGV, Shell
from harness.sandbox.tree import Tree


class LocalSandbox:
    """One agent's folder `<place>/workspace`, its home and its shell. `uid` None: as the harness's own user."""

    kind: EngineKind = "local"

    def __init__(self, spec: BoxSpec, place: Path, venv: Path, uid: int | None, remove: Callable[[], None]) -> None:
        self._spec = spec
        self._place = place
        self._remove = remove
        self._uid = uid
        self._workspace = place / "workspace"
        self.workspace = str(self._workspace)
        shutil.copytree(spec.starter, self._workspace)
        for name in ("home", "tmp"):
            (place / name).mkdir()
        self._give_away()
        places = {name: str(folder.resolve()) for name, folder in spec.mounts.items()}
        self._reach = reach_of(venv, place, *spec.mounts.values())
        path = f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        given = {"TMPDIR": str(place / "tmp"), "VIRTUAL_ENV": str(venv), **spec.env}
        self._env = environment_of(given, places, spec.caps, home=str(place / "home"), path=path)
        self._tree: Tree | None = None
        self._started: list[Tree] = []
        self._starting = threading.Lock()
        self._closed = False
        self._shell: Shell | None = None
        try:
            self._shell = Shell(self)
        except BaseException:
            self.close()
            raise

    def exec(self, command: str, timeout_s: float) -> ExecResult:
        if self._shell is None:
            raise SandboxError("the sandbox is closed")
        return self._shell.run(command, timeout_s)

    def start(self, argv: Sequence[str]) -> Tree:
        if self._shell is None:
            raise SandboxError("the sandbox is closed")
        with self._starting:
            program = self._program(argv)
            self._started.append(program)
        return program

    def stop(self) -> None:
        """Started programs keep their pipes, so that whoever reads one sees its end."""
        if self._shell is None:
            raise SandboxError("the sandbox is closed")
        for program in self._started:
            program.kill()
        self.end_everything()
        self._shell.renew()

    def write(self, path: str, data: bytes) -> None:
        try:
            inside.write_file(str(self._workspace), path, data, owner=self._uid)
        except inside.Refused as why:
            raise InvalidArtifact(f"cannot write {path!r} in the workspace: {why}") from None

    def copy_out(self, paths: Sequence[tuple[str, int]]) -> dict[str, bytes]:
        """Race-proof without freezing anyone: each file is judged and read by one descriptor (inside.py)."""
        return {path: self._take(path, cap) for path, cap in paths}

    def workspace_patch(self, cap_bytes: int) -> str:
        known = starter_digests(self._spec.starter)
        records = inside.survey(str(self._workspace), known, FILE_CAP_BYTES, 4 * cap_bytes)
        return patch_text(records, self._spec.starter, known, cap_bytes)

    def close(self) -> None:
        with self._starting:
            self._closed = True
        if self._shell is not None:
            self._shell.close()
            self._shell = None
        for program in self._started:
            program.close()
        self.end_everything()
        self._remove()

    def open_shell(self) -> Tree:
        with self._starting:
            self._tree = self._program(ARGV)
        return self._tree

    def end_command(self, begun: float) -> None:
        if self._tree is not None:
            self._tree.kill_newer(time.monotonic() - begun)

    def end_everything(self) -> None:
        if self._tree is not None:
            self._tree.close()
            self._tree = None

    def restart(self) -> None:
        self.end_everything()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _program(self, argv: Sequence[str]) -> Tree:
        """Nothing starts in a closed place: a command that another thread's `close` ends asks for a new shell."""
        if self._closed:
            raise SandboxError("the sandbox is closed")
        return Tree(argv, self._env, self._workspace, self._spec.caps, self._uid, self._reach)

    def _take(self, path: str, cap: int) -> bytes:
        try:
            return inside.read_file(str(self._workspace), path, cap)
        except inside.Refused as why:
            raise InvalidArtifact(f"artifact {path!r} is refused: {why}") from None

    def _give_away(self) -> None:
        """Everything the agent may write belongs to its user."""
        for folder, _, files in os.walk(self._place):
            for name in [folder, *(str(Path(folder) / file) for file in files)]:
                Path(name).chmod(Path(name).stat().st_mode | 0o600)
                if self._uid is not None and name != str(self._place):
                    os.chown(name, self._uid, self._uid)
