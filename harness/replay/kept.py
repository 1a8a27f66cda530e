"""KeptReplays: the replay of one task of one bundle, kept, so that calling again goes on and draws nothing twice.

Takes a folder, keeps a TaskReplay under the digest of all that it depends on. Never keeps what is not finished.
"""

from __future__ import annotations

from pathlib import Path

from harness.files import replace_file
from harness.schema.replay import TaskReplay


class KeptReplays:
    """Replays in a folder, or none kept at all when `folder` is None."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def get(self, key: str) -> TaskReplay | None:
        """Raises SchemaError on a damaged file, which names it."""
        file = self._file(key)
        if file is None or not file.is_file():
            return None
        return TaskReplay.from_json(file.read_bytes(), subject=str(file))

    def put(self, key: str, found: TaskReplay) -> TaskReplay:
        """Keep it when it is finished; gives it back."""
        file = self._file(key)
        if file is not None and found.outcome in ("agrees", "differs"):
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(file, found.canonical())
        return found

    def _file(self, key: str) -> Path | None:
        return self.folder / "replays" / f"{key}.json" if self.folder else None
