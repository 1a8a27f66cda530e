"""A grader program as plain processes. See local.py for what this leaves open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.sandbox.base import ProcessSpec
from harness.sandbox.places import SHARED, environment_of, fill, reach_of
from harness.sandbox.program import Conversation
from harness.sandbox.tree import Tree


class LocalProcess(Conversation):
    """One program with a temporary folder of its own. `uid` None: as the harness's own user."""

    def __init__(self, spec: ProcessSpec, place: Path, venv: Path, uid: int | None, remove: Callable[[], None]) -> None:
        self._remove = remove
        place.chmod(0o700)
        if uid is not None:
            os.chown(place, uid, uid)
        places = {name: str(folder.resolve()) for name, folder in spec.mounts.items()}
        places |= {SHARED: spec.shared} if spec.shared else {}
        path = f"{venv / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        env = environment_of({"TMPDIR": str(place), **spec.env}, places, spec.caps, home=str(place), path=path)
        argv = [fill(word, places) for word in spec.argv]
        # Without a mask the referee's socket can be reached by the player's user; its folder stays the referee's alone.
        umask = 0 if spec.shared_writable else 0o022
        reach = reach_of(venv, place, *map(Path, places.values()))
        self._tree = Tree(self._found(argv, venv), env, place, spec.caps, uid, reach, umask)
        super().__init__(self._tree, spec.role)

    def exit_code(self) -> int | None:
        return self._tree.exit_code()

    def pause(self) -> None:
        self._tree.pause()

    def resume(self) -> None:
        self._tree.resume()

    def cpu_s(self) -> float:
        """Without children that nobody waited for and whose parent ignores them; Docker counts these too."""
        return self._tree.cpu_s()

    def kill(self) -> None:
        self._tree.kill()
        self.join()
        self._tree.close()
        self._remove()

    @staticmethod
    def _found(argv: list[str], venv: Path) -> list[str]:
        """`python` is the family's, whatever the machine's own path says."""
        own = venv / "bin" / argv[0]
        return [str(own), *argv[1:]] if "/" not in argv[0] and own.exists() else argv
