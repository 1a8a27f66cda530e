"""All cores read: this process and, for many entries, worker processes beside it.

Takes cases, gives their outcomes and the segments that were written. A worker that dies costs time and nothing else:
its share is read here. Starts programs, not forks: threads of other libraries may be running.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scoring.facts.evidence import Case, Outcome
from scoring.facts.segment import Writer
from scoring.facts.work import NUMBER_BYTES, claimed, settle
from scoring.facts.worker import CASES
from scoring.garbage import without_gc

SHARE = 64
"""Entries that are worth a process: it takes 0.4 s to start."""
MAX_WORKERS = 16
_WORKER = "scoring.facts.worker"
_PIPE_BYTES = 4096
"""What any pipe takes at once."""


def read_all(cases: Sequence[Case], folder: Path) -> tuple[list[Outcome], list[Path]]:
    """Outcomes in the order of the cases, and finished segments inside `folder`. Raises OSError on a full disk."""
    count = min(cores() - 1, len(cases) // SHARE, MAX_WORKERS)
    with without_gc():
        outcomes, segments = _shared(cases, folder, count) if count > 0 else ({}, [])
        if rest := [number for number in range(len(cases)) if number not in outcomes]:
            outcomes |= _settled(cases, rest, folder / "rest", segments)
    return [outcomes[number] for number in range(len(cases))], segments


def _settled(cases: Sequence[Case], numbers: Iterable[int], place: Path, segments: list[Path]) -> dict[int, Outcome]:
    """Read these here, and add the segment that they make, if any, to `segments`."""
    writer = Writer(place)
    outcomes = settle(cases, numbers, writer)
    if written := writer.close():
        segments.append(written)
    return outcomes


def _shared(cases: Sequence[Case], folder: Path, count: int) -> tuple[dict[int, Outcome], list[Path]]:
    """What this process and `count` others read together; each writes its own segment while the others still do."""
    _write_cases(cases, folder / CASES)
    with _queue(range(len(cases))) as queue:
        names = [f"worker-{i}" for i in range(count)]
        workers = {name: start(_WORKER, str(folder), name, str(queue), pass_fds=[queue]) for name in names}
        segments: list[Path] = []
        outcomes = _settled(cases, claimed(queue), folder / "own", segments)
    for name, worker in workers.items():
        worker.wait()
        try:
            found = json.loads((folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            continue
        outcomes |= {number: Outcome(evidence, tuple(why), files) for number, (evidence, why, files) in found}
        if (folder / name / "manifest.json").is_file():
            segments.append(folder / name)
    return outcomes, segments


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0))


def start(module: str, *words: str, **more: Any) -> subprocess.Popen[bytes]:
    """`python -m module words`, silent; `more` as Popen has it. `-P` and our own path: neither the current folder nor
    another installation gives it its code."""
    path = os.pathsep.join(str(Path(place or ".").resolve()) for place in sys.path)
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *words],
        env={**os.environ, "PYTHONPATH": path, "POLARS_MAX_THREADS": "1"},
        **{**quiet, **more},
    )


@contextlib.contextmanager
def _queue(numbers: Sequence[int]) -> Iterator[int]:
    """A descriptor from which every number can be read once, by whoever comes first.

    A file, read through one shared offset, would not do: its reads are not atomic on every system. A pipe is, and
    holds 16,384 numbers on Linux; what does not fit stays unread and is the caller's.
    """
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            for at in range(0, len(numbers), _PIPE_BYTES // NUMBER_BYTES):
                part = numbers[at : at + _PIPE_BYTES // NUMBER_BYTES]
                os.write(writing, b"".join(number.to_bytes(NUMBER_BYTES, "big") for number in part))
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _write_cases(cases: Sequence[Case], file: Path) -> None:
    tree = [(case.place, case.name, list(case.known.items()), case.private) for case in cases]
    file.write_text(json.dumps(tree), encoding="utf-8")
