"""Bodies of entries' pages made beside the build: by workers from its beginning, and by whoever asks for the rest.

Takes the pages that no earlier build has kept and starts a worker for each other core, which makes its share from the
first page on. Whoever needs the pages takes what has been made, and makes the last ones meanwhile until they meet. A
worker that dies costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scoring.facts.pool import MAX_WORKERS, SHARE, cores, start
from scoring.leaderboard import Board
from scoring.load import Bundles
from scoring.publish.content import Content
from scoring.publish.entry import Shown
from scoring.publish.templates import page_name
from scoring.publish.worker import LENGTH


class New(NamedTuple):
    """A page whose body is not kept, and the key of that body."""

    key: bytes
    shown: Shown


class _Share:
    """Pages that one process makes in their order, and the file that it writes them to; no process: nobody does."""

    def __init__(self, pages: Sequence[New], file: Path | None = None) -> None:
        self.left = deque(pages)
        self._made = file.open("rb") if file else None

    def made(self) -> Iterator[tuple[New, bytes]]:
        """Those that are whole by now and that nobody else has taken."""
        while self.left and self._made and (body := self._next()):
            yield self.left.popleft(), body

    def _next(self) -> bytes | None:
        begun = self._made.tell() if self._made else 0
        head = self._made.read(LENGTH) if self._made else b""
        size = int.from_bytes(head, "big")
        body = self._made.read(size) if self._made and len(head) == LENGTH else b""
        if not size or len(body) != size:
            if self._made:
                self._made.seek(begun)
            return None
        return body

    def close(self) -> None:
        if self._made:
            self._made.close()


class Bodies:
    """All new pages, each to be had once."""

    def __init__(self, shares: Sequence[_Share]) -> None:
        self._shares = shares

    def pages(self) -> Iterator[tuple[New, bytes | None]]:
        """Each page with its packed body, or None: it is to be made before the next one is asked for."""
        while any(share.left for share in self._shares):
            for share in self._shares:
                yield from share.made()
            longest = max(self._shares, key=lambda share: len(share.left))
            if longest.left:
                yield longest.left.pop(), None


@contextlib.contextmanager
def beside(new: Sequence[New], content: Content, templates: Path, entries: Path, work: Path) -> Iterator[Bodies]:
    """Workers for the `new` pages, if these are many. `entries`: the folder of bundles; `work`: where jobs lie."""
    count = min(cores() - 1, len(new) // SHARE, MAX_WORKERS)
    with contextlib.ExitStack() as running:
        shares = []
        for number in range(count):
            share, made = new[number::count], work / f"bodies-{number}.packed"
            jobs = work / f"bodies-{number}.jsonl"
            _write_jobs(jobs, share, content, {"templates": str(templates), "entries": str(entries)})
            with made.open("wb") as out:
                worker = start("scoring.publish.worker", str(jobs), stdout=out)
            running.callback(_end, worker)
            shares.append(_Share(share, made))
            running.callback(shares[-1].close)
        yield Bodies(shares or [_Share(new)])


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()


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
        "counts": dict(content.loaded.counts) if isinstance(content.loaded, Bundles) else {},
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
