"""The options of `gymboard run` about where and how many: `--jobs`, `--only`, what is there already, Ctrl-C.

Takes text, gives an Executor, keys or a UsageError that says what to write instead. Never plays an episode.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.executors.base import Executor
    from harness.executors.words import RunWords
    from harness.sandbox.base import Engine

Jobs = Annotated[
    str,
    typer.Option("--jobs", metavar="N|auto", help="Episodes at a time; auto: as many as cpus, memory and GPUs allow."),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="TASK/seed-N,..",
        help="These episodes of the run alone; other processes may play the others meanwhile (an array job).",
    ),
]
MOST_JOBS = 1024


def how_many(jobs: str, agent: str) -> int | None:
    """What `--jobs` says; None: auto. Raises UsageError."""
    from harness.errors import UsageError

    if jobs != "auto" and not (jobs.isascii() and jobs.isdigit() and 1 <= int(jobs) <= MOST_JOBS):
        raise UsageError(f"--jobs takes auto or a number from 1 to {MOST_JOBS}; it was {jobs!r}")
    if agent == "human" and jobs != "1":
        raise UsageError("--agent human plays one episode at a time: leave --jobs out")
    return None if jobs == "auto" else int(jobs)


def executor_for(most: int | None, engine: Engine, *, gpus: bool) -> Executor:
    """What plays so many episodes at a time. Raises EngineUnavailable."""
    from harness.executors.here import Here
    from harness.executors.local import Processes
    from harness.executors.machine import this_machine

    return Here() if most == 1 else Processes(most, this_machine(engine.kind, gpus=gpus))


def keys_named(words: RunWords, only: str | None) -> tuple[str, ...]:
    """The episodes that `--only` names; none without it. Raises UsageError for one that the run does not have."""
    from harness.executors.drive import jobs

    named = tuple(filter(None, (only or "").split(",")))
    return tuple(job.key for job in jobs(words, named)) if named else ()


def demand_begun_as_said(words: RunWords, *, resume: bool) -> None:
    """Before anything is made: a run that is there is gone on with on purpose, and by the suite it was begun with; and
    its folder can be written.

    Raises UsageError, SchemaError.
    """
    from harness.errors import UsageError
    from harness.files import is_open, nearest
    from harness.runner.manifest import FILE, demand_same_suite

    if (words.folder / FILE).exists() and not resume:
        raise UsageError(f"{words.folder} is there already; go on with it by --resume, or choose another --run name")
    demand_same_suite(words.folder, {task: words.root / task for task in words.tasks})
    _demand_writable(words.folder)
    if words.log is not None and (words.log.is_dir() or not is_open(nearest(words.log.absolute().parent))):
        raise UsageError(f"--log {words.log}: nothing can be written there; name a file in a folder of yours")


def _demand_writable(folder: Path) -> None:
    from harness.errors import UsageError, in_words
    from harness.files import demand_room, is_open, nearest

    there = nearest(folder)
    if not there.is_dir():
        raise UsageError(f"{there} is no folder; keep runs elsewhere, --runs DIR")
    if not is_open(there):
        raise UsageError(f"nothing can be written in {there}: get the permission, or keep runs elsewhere, --runs DIR")
    try:
        demand_room(there)
    except OSError as error:
        raise UsageError(f"{in_words(error)}, or keep runs elsewhere, --runs DIR") from None


@contextmanager
def interrupts(agent: str) -> Iterator[threading.Event]:
    """Ctrl-C once sets the event, twice raises KeyboardInterrupt. A person who plays is heard at once, as ever."""
    stop = threading.Event()

    def heard(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        os.write(
            2, b"every running episode finishes its step; Ctrl-C again ends them at once\n"
        )  # a handler may not print

    if agent == "human":
        yield stop
        return
    before = signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
