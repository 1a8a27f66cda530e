"""The files of a published run at each of its steps, recovered from the listings in its observations.

Takes steps in order, gives for each step the text of every file that was shown whole. Upstream's editor numbers every
line that it shows and says how many there are: a missing number is a blank line, a window that shows a part completes
what was known. A rejected edit shows two listings, of which the second is the file. Never guesses: a file whose lines
are not all known is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from harness.importers.traj import TrajStep

_HEADER = re.compile(r"^\[File: (?P<path>.+) \((?P<lines>\d{1,20}) lines total\)\]$")
_LINE = re.compile(r"^(?P<number>\d{1,9}):(?P<text>.*)$", re.DOTALL)
_ABOVE = re.compile(r"^\(\d+ more lines above\)$")
_BELOW = re.compile(r"^\((?P<lines>\d{1,9}) more lines below\)$")
REJECTED = "Your changes have NOT been applied"
MAX_LINES = 100_000
"""No file of a published run comes near it; what claims more is not followed."""
EDITS = ("edit", "insert", "create")


@dataclass(frozen=True)
class Listing:
    """A window into a file: `lines` maps line number (from 1) to text, `total` is the whole file's number of lines."""

    path: str
    total: int
    lines: Mapping[int, str]

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass
class Workspace:
    """What is known after a step. `original` is the first text of each file that no earlier step of the run edited."""

    files: dict[str, str] = field(default_factory=dict)
    original: dict[str, str] = field(default_factory=dict)
    edited_at: dict[str, int] = field(default_factory=dict)

    def changed(self, name: str) -> int | None:
        """The step that last edited a file which is no longer as it was first seen; None: it is as it was, or
        nobody touched it.
        """
        step = self.edited_at.get(name)
        if step is None or (name in self.original and self.files.get(name) == self.original[name]):
            return None
        return step


def listings(observation: str) -> Iterator[Listing]:
    """Every listing of an observation, in order."""
    path, total, lines, last = "", 0, dict[int, str](), 0
    for row in observation.split("\n"):
        if header := _HEADER.match(row):
            if path:
                yield Listing(path, total, lines)
            total, lines, last = min(int(header["lines"]), MAX_LINES + 1), {}, 0
            path = header["path"] if total <= MAX_LINES else ""
        elif path and (found := _LINE.match(row)) and last < int(found["number"]) <= total:
            last = int(found["number"])
            lines[last] = found["text"]
        elif path and not _ABOVE.match(row):
            yield Listing(path, total, _to_the_end(lines, total, row))
            path = ""
    if path:
        yield Listing(path, total, _to_the_end(lines, total, ""))


def _to_the_end(lines: dict[int, str], total: int, row: str) -> dict[int, str]:
    """Blank lines are dropped from some observations: what lies between two shown lines is blank, and so is what
    follows the last one, unless more lines are announced below."""
    below = _BELOW.match(row)
    end = total - int(below["lines"]) if below else total
    return {number: lines.get(number, "") for number in range(min(lines, default=end + 1), end + 1)}


def recover(steps: Iterable[TrajStep]) -> Iterator[Workspace]:
    """The workspace after each step; the same object, changed in place."""
    known: dict[str, dict[int, str]] = {}
    space = Workspace()
    for step in steps:
        word = step.action.split(maxsplit=1)[0] if step.action else ""
        shown = list(listings(step.observation))
        if shown:
            now = shown[-1]
            applied = word in EDITS and REJECTED not in step.observation
            if applied:
                space.edited_at[now.name] = step.number
                known[now.name] = {}
            kept = {**known.get(now.name, {}), **now.lines}
            known[now.name] = {number: text for number, text in kept.items() if number <= now.total}
            _take(space, now, known[now.name])
        yield space


def _take(space: Workspace, now: Listing, lines: Mapping[int, str]) -> None:
    if len(lines) < now.total:
        space.files.pop(now.name, None)
        return
    space.files[now.name] = "".join(f"{lines[number]}\n" for number in range(1, now.total + 1))
    if now.name not in space.edited_at:
        space.original[now.name] = space.files[now.name]
