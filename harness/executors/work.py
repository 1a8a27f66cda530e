"""A worker's side: one episode of a run after another, in this process, with an engine of its own.

Takes a run's words and keys, gives Ended. The run was begun by its driver: run.json stands in its folder, and a worker
of another version, with another task or other images than it names, plays nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Self

from harness.errors import Abandoned, UsageError
from harness.executors.words import RunWords
from harness.files import Kept, nothing_more
from harness.llm.spending import Books
from harness.runner.manifest import FILE, demand_same_place, read_manifest
from harness.runner.place import Place
from harness.runner.progress import Watch, unwatched
from harness.runner.run import Begun, Ended, begun, place_for, seed_of
from harness.sandbox import open_engine
from harness.sandbox.gpus import parse_gpus


class Workplace:
    """This process's engine and its reading of the words. Use as a context manager; one episode at a time.

    `books` keep the spending; None: the file in the run's folder. `devices`: the GPUs that its agents get, by the
    engine's ids; none: those that the words ask for, as the engine chooses them.

    Raises UsageError (the words, another version), EngineUnavailable.
    """

    def __init__(
        self,
        words: RunWords,
        books: Books | None = None,
        devices: Sequence[str] = (),
        kept: Kept = nothing_more,
    ) -> None:
        manifest = read_manifest(words.folder)
        if manifest is None:
            raise UsageError(
                f"there is no {FILE} in {words.folder}: a worker is given the folder of a run that is begun"
            )
        self._plan = words.plan(books)
        self._places: dict[str, Place] = {}
        self._begun: Begun = begun(self._plan, self._places, manifest, kept)
        if self._plan.models is not None:
            self._plan.models.load()
        self._engine = open_engine(words.sandbox, parse_gpus(words.gpus, devices))

    def play(self, key: str, watch: Watch = unwatched, stop: threading.Event | None = None) -> Ended | None:
        """Episode `key` to its end, or to its next step's once `stop` is set, which gives None. Raises UsageError."""
        task, _ = seed_of(key)
        if task not in self._places:
            place = place_for(self._plan, task, self._engine)
            demand_same_place(self._plan.folder, place)
            self._places[task] = place

        def rest() -> None:
            if stop is not None and stop.is_set():
                raise Abandoned("the run is told to end")

        try:
            return self._begun.play(key, watch, rest)
        except Abandoned:
            return None

    def close(self) -> None:
        """Nothing that it started is left."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def work(
    words: RunWords,
    key: str,
    watch: Watch = unwatched,
    *,
    stop: threading.Event | None = None,
    books: Books | None = None,
    devices: Sequence[str] = (),
    kept: Kept = nothing_more,
) -> Ended | None:
    """Exactly one episode, with an engine that is opened and closed for it. As Workplace and its play."""
    with Workplace(words, books, devices, kept) as place:
        return place.play(key, watch, stop)
