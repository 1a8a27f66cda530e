"""The protocol of whatever plays the episodes of a run: this process, processes of this machine, a cluster.

An Executor takes the run's words and jobs, gives each job's end as it comes. What an episode left lies in the run's
folder when its end is told. Nobody but `harness.executors.drive` begins a run or says which episodes are due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.executors.words import RunWords
from harness.runner.progress import Watch
from harness.runner.run import Ended


@dataclass(frozen=True)
class Needs:
    """What one episode takes of a machine while it runs. `gpus` None: all of the machine's."""

    cpus: float
    memory_mib: int
    gpus: int | None = 0


@dataclass(frozen=True)
class Job:
    """One episode that is due."""

    key: str
    needs: Needs


class Executor(Protocol):
    """Plays episodes."""

    def run(self, words: RunWords, jobs: Sequence[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """Each job's end, as they come; the jobs are begun in their order as far as there is room.

        `words` are absolute and their sandbox is settled; run.json stands in their folder, and its lock is held by the
        caller. `stop` set: no job is begun any more, running ones end after the step that they are in; those that were
        not begun or not ended are not told. Closing the iterator (also by an exception in the caller, as of a second
        Ctrl-C) ends them at once. Either way no container outlives it. A worker that dies costs its episode's step in
        flight, not the episode: it is played on by another worker, a few times.
        """
        ...
