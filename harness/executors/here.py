"""Episodes one after another in this process: no second interpreter, and an agent may have the terminal.

Takes and gives what every Executor does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from harness.executors.base import Job
from harness.executors.words import RunWords
from harness.executors.work import Workplace
from harness.runner.progress import Watch
from harness.runner.run import Ended


class Here:
    """This process."""

    def run(self, words: RunWords, jobs: Sequence[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """See harness.executors.base.Executor."""
        with Workplace(words) as place:
            for job in jobs:
                if stop.is_set():
                    return
                if ended := place.play(job.key, watch, stop):
                    yield ended
