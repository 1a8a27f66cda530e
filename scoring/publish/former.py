"""What stood at the site's place before: files taken over by the digest of everything that they were made of.

Takes a folder with a built site and what the build before noted of it, gives files by a second name of the same bytes.
A file is taken only while its inode, size and times are those that it had when that build was done; any other is made
again. Never changes what stands there, and without notes everything is made: that gives the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from harness.files import replace_file
from scoring.facts.hashes import looks


class Former:
    """Of the site at `out`; `place`: where notes are kept, None: nowhere. Names are paths under the site."""

    def __init__(self, out: Path, place: Path | None) -> None:
        self._out = str(out)
        named = hashlib.sha256(os.fsencode(out.absolute())).hexdigest()[:16]
        self._file = place / f"site-{named}.json" if place else None
        self._known = _load(self._file) if self._file else {}
        self._keys: dict[str, str] = {}

    def take(self, name: str, key: bytes, built: Path) -> bool:
        """Whether the file made of `key` stands there; then it has its name under `built` too. Remembers the key."""
        wanted = self._keys[name] = key.hex()
        known = self._known.get(name)
        try:
            if known is None or known[0] != wanted:
                return False
            file = f"{self._out}/{name}"
            if known[1] != looks(os.lstat(file)):
                return False
            os.link(file, f"{built}/{name}", follow_symlinks=False)
        except (OSError, TypeError, LookupError):
            return False
        return True

    def note(self) -> None:
        """Remember how the files look now, where the site has its place and the one before is gone."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            notes = {name: (key, looks(os.lstat(f"{self._out}/{name}"))) for name, key in self._keys.items()}
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, json.dumps(notes, separators=(",", ":")).encode())


def _load(file: Path) -> dict[str, tuple[str, list[int]]]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
