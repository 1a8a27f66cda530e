"""calls.jsonl: every answer of an episode's model, on disk before anybody acts on it.

Takes JournalLines, gives them back to an episode that goes on after a kill: a request that was answered once is
answered from here. Append-only; a torn last line (power loss) is cut off. Never holds a request, only its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from harness.files import Kept, LineFile, demand_room, nothing_more
from harness.schema.calls import JournalLine, ModelCall

FILE = "calls.jsonl"


class Journal:
    """The calls of one episode: `calls` all of them, `used` those that led to the actions so far, `unused` the lines of
    a killed process that its successor has not asked for again. `kept` is called when a line is on disk, before
    anybody acts on it.
    """

    def __init__(self, folder: Path, kept: Kept = nothing_more) -> None:
        self._folder, self._kept = folder, kept
        self._lines = LineFile(folder / FILE)
        self.unused = list(read_journal(folder / FILE))
        self.calls: list[ModelCall] = [line.call for line in self.unused]
        self.used: list[ModelCall] = []

    def take(self, request_sha256: str) -> JournalLine | None:
        """The first answer to this very request that was not given back yet, or None. Lost tries before it count."""
        for line in [line for line in self.unused if line.call.request_sha256 == request_sha256]:
            self.unused.remove(line)
            self.used.append(line.call)
            if not line.call.lost:
                return line
        return None

    def append(self, line: JournalLine, *, used: bool = True) -> None:
        """Write one call; on disk when this returns. Not used: a call that the killed process had in flight."""
        self._lines.append(json.dumps(line.model_dump(mode="json", exclude_defaults=True), sort_keys=True).encode())
        self._kept()
        self.calls.append(line.call)
        if used:
            self.used.append(line.call)
        else:
            self.unused.append(line)

    def demand_room(self) -> None:
        """Before a call is paid. Raises OSError when its answer might not fit on the disk."""
        demand_room(self._folder)

    def close(self) -> None:
        self._lines.close()


def read_journal(file: Path) -> Iterator[JournalLine]:
    """Every whole line of a calls.jsonl; none when there is no such file. Raises SchemaError with the line's number."""
    if not file.is_file():
        return
    for number, line in enumerate(file.read_bytes().split(b"\n")[:-1], start=1):
        yield JournalLine.from_json(line, subject=f"{file.name}:{number}")
