"""All cores make the bodies of entries' pages: this process, and workers beside it where many pages are new.

Takes the pages that no earlier build has kept, starts a worker for each other core with every n-th of them, gives what
they make in their order. A worker that dies costs time and nothing else: its pages are then made here.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from scoring.facts.pool import MAX_WORKERS, SHARE, cores, start
from scoring.leaderboard import Board
from scoring.publish.content import Content
from scoring.publish.entry import Shown
from scoring.publish.templates import page_name
from scoring.publish.worker import LENGTH


class New(NamedTuple):
    """A page whose body is not kept, and the key of that body."""

    key: bytes
    shown: Shown


class _Worker:
    """A process and the keys of what it will still give."""

    def __init__(self, process: subprocess.Popen[bytes], keys: Sequence[bytes]) -> None:
        self._process = process
        self._keys = deque(keys)

    def give(self, key: bytes) -> str | None:
        """The body, when it is this one's next; None: somebody else's, or the process is gone."""
        if not self._keys or self._keys[0] != key:
            return None
        self._keys.popleft()
        pipe = self._process.stdout
        data = _read(pipe) if pipe else None
        if data is None:
            self._keys.clear()
        return data

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Bodies:
    """What the workers make; ask in the order of the pages."""

    def __init__(self, workers: Sequence[_Worker]) -> None:
        self._workers = workers

    def give(self, key: bytes) -> str | None:
        """None: nobody beside this process makes it."""
        return next((body for worker in self._workers if (body := worker.give(key)) is not None), None)


@contextlib.contextmanager
def beside(new: Sequence[New], content: Content, templates: Path, entries: Path, work: Path) -> Iterator[Bodies]:
    """Workers for the `new` pages, if these are many. `entries`: the folder of bundles; `work`: where jobs lie."""
    count = min(cores() - 1, len(new) // SHARE, MAX_WORKERS)
    shares = [new[place :: count + 1] for place in range(1, count + 1)]
    workers = []
    try:
        for number, share in enumerate(shares):
            jobs = work / f"bodies-{number}.jsonl"
            _write_jobs(jobs, share, content, {"templates": str(templates), "entries": str(entries)})
            process = start("scoring.publish.worker", str(jobs), stdout=subprocess.PIPE)
            workers.append(_Worker(process, [one.key for one in share]))
        yield Bodies(workers)
    finally:
        for worker in workers:
            worker.end()


def _write_jobs(file: Path, share: Sequence[New], content: Content, setting: dict[str, Any]) -> None:
    boards: dict[int, tuple[int, Board]] = {}
    for one in share:
        boards.setdefault(id(one.shown.board), (len(boards), one.shown.board))
    bases = [content.base(board) for _, board in boards.values()]
    setting |= {
        "boards": [_bare(board) for _, board in boards.values()],
        "bases": [base and base.model_dump_json() for base in bases],
        "known": sorted(content.tasks),
        "place": content.evidence_place,
    }
    with file.open("w", encoding="utf-8") as jobs:
        jobs.write(f"{json.dumps(setting)}\n")
        for _, shown in share:
            flags, lines = content.about(shown)
            own = [[record.model_dump_json() for record in records] for records in (flags, lines)]
            row = shown.row.model_copy(update={"standings": {}}).model_dump_json()
            jobs.write(f"{json.dumps([boards[id(shown.board)][0], page_name(shown.row), row, *own])}\n")


def _bare(board: Board) -> str:
    """The board without everybody on it."""
    return board.model_copy(update={"rows": (), "curves": (), "pareto": ()}).model_dump_json()


def _read(pipe: IO[bytes]) -> str | None:
    """The next body; None when the worker has ended before it was whole."""
    size = int.from_bytes(pipe.read(LENGTH), "big")
    data = pipe.read(size)
    return data.decode() if size and len(data) == size else None
