"""The log of a run as far as workers play out of its sight: what they told beside an episode is told again there.

Takes the run's folder and its log, gives the lines by which an episode's copy of events.jsonl has grown, MOST_BYTES an
episode. Never holds back what it was told, and never tells a line twice.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from harness.errors import SchemaError
from harness.runner.phases import BESIDE
from harness.telemetry.event import Event
from harness.telemetry.lines import EventLog

MOST_BYTES = 1 << 20
"""Of one episode: some 3,500 events. All of them are beside the episode."""


class Retold:
    """The log of one run. Safe across threads as long as each episode has one at a time."""

    def __init__(self, run: Path, log: Path) -> None:
        self._run, self._log = run, EventLog(log)
        self._read: dict[str, int] = {}
        self._left: dict[str, int] = {}

    def begin(self, key: str) -> None:
        """What is there of episode `key` was told by an earlier life."""
        file = self._run / key / BESIDE
        self._read[key] = file.stat().st_size if file.is_file() else 0

    def tell(self, key: str) -> None:
        """Tell the whole lines that came since."""
        file, left = self._run / key / BESIDE, self._left.get(key, MOST_BYTES)
        if not left or not file.is_file():
            return
        with file.open("rb") as lines:
            lines.seek(self._read[key])
            new = lines.read(left)
        whole = new[: new.rfind(b"\n") + 1]
        self._read[key] += len(whole)
        self._left[key] = 0 if len(new) == left else left - len(whole)
        for line in whole.splitlines():
            with suppress(SchemaError):
                self._log(Event.from_json(line))
