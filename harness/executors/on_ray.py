"""Episodes as Ray tasks: as many at once as the cluster has room for, played on elsewhere when a node is lost.

Takes and gives what every Executor does. What an episode left comes back by the run's folder where a worker sees it,
else through Ray's object store to the desk, an actor beside the folder. Whatever ends a run, every node is swept
afterwards, so that no container of it is left.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.errors import Abandoned, UsageError
from harness.executors.aid_words import OWN
from harness.executors.base import Job
from harness.executors.cluster import MIB, Cluster, connected, look
from harness.executors.desk import Desk
from harness.executors.far import Errand, Given, Outcome, play
from harness.executors.head import ANSWER_S, ClusterLost, Head
from harness.executors.stamp import stamp_of
from harness.executors.words import RunWords
from harness.files import replace_file
from harness.runner.locks import LOCKS
from harness.runner.phases import LOG
from harness.runner.progress import Watch
from harness.runner.run import Ended, told
from harness.sandbox import open_engine
from harness.sandbox.base import Engine

TRIES = 5
"""How often an episode is begun again when its node or its worker is lost."""
NEWS_S = 0.3
GRACE_S = 45.0
"""How long an episode that is told to end may take to remove its containers, before its worker is killed."""
DESK_THREADS = 64
NONCE = "seen"


class OnRay:
    """A Ray cluster for one run; `address` None: one of this machine alone. Before anything is made for the run, each
    node is asked whether it can play these words as this machine's `engine` would.

    Raises UsageError: no cluster answers, or a node differs from this one.
    """

    def __init__(self, address: str | None, words: RunWords, engine: Engine, jobs: Sequence[Job]) -> None:
        demand_far(words)
        self._stamp = stamp_of(words, engine)
        self._opened = ExitStack()
        with ExitStack() as opened:
            self._cluster = opened.enter_context(connected(address))
            look(self._cluster, words, self._stamp, jobs)
            self._opened = opened.pop_all()

    def run(self, words: RunWords, jobs: Sequence[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """See harness.executors.base.Executor. The connection is closed at its end."""
        with self._opened as opened:
            nonce = opened.enter_context(_nonce(words.folder))
            tasks = _Tasks(self._cluster, Errand(words, self._stamp, nonce), jobs)
            opened.callback(tasks.sweep)
            yield from tasks.play(watch, stop)


def demand_far(words: RunWords) -> None:
    """Raises UsageError when these words are about one machine."""
    if words.agent == "human":
        raise UsageError("--agent human plays at this terminal; leave --executor ray out")
    if words.aids.memory not in (None, OWN):
        raise UsageError(
            f"--memory {words.aids.memory} is a file of one machine; with --executor ray take --memory own"
        )
    if words.gpus == "all":
        raise UsageError("--gpus all is about one machine; with --executor ray say how many an episode gets")


class _Tasks:
    """The tasks of one run, and its desk on this machine."""

    def __init__(self, cluster: Cluster, errand: Errand, jobs: Sequence[Job]) -> None:
        self._jobs, self._cards = jobs, {job.key: secrets.token_hex(32) for job in jobs}
        self._ray, self._errand = cluster.ray, errand
        self._cluster, self._head, self._lost = cluster, cluster.head(), False
        self._folder = errand.words.folder
        limit = errand.words.model.run_cost_usd
        here = cluster.on(cluster.here())
        desk = self._ray.remote(Desk).options(num_cpus=0, max_concurrency=DESK_THREADS, scheduling_strategy=here)
        self._desk = desk.remote(self._folder, limit, errand.words.log or self._folder / LOG, self._cards)
        self._keys: dict[Any, str] = {}

    def play(self, watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """Each job's end. Closed before that, it ends what runs."""
        told = False
        try:
            for job in self._jobs:
                self._begin(job)
            while self._keys:
                if stop.is_set() and not told:
                    told = True
                    self._ask("order", "finish")
                done = self._done(NEWS_S)
                for progress in self._ask("news"):
                    watch(progress)
                for ref in done:
                    yield from self._ended(self._keys.pop(ref), ref)
        finally:
            self._end()

    def _begin(self, job: Job) -> None:
        needs = job.needs
        task = self._ray.remote(play_task).options(
            name=f"gymboard {job.key}",
            num_cpus=needs.cpus,
            num_gpus=needs.gpus or 0,
            memory=needs.memory_mib * MIB,
            max_retries=TRIES,
            retry_exceptions=False,
            scheduling_strategy="SPREAD",
        )
        self._keys[task.remote(self._errand, Given(job.key, self._cards[job.key]), self._desk)] = job.key

    def _ended(self, key: str, ref: Any) -> Iterator[Ended]:
        try:
            outcome: Outcome = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            outcome = Outcome("failed", f"Ray gave it up: {' '.join(str(error).split())[:1000]}")
        if outcome.status == "done":
            yield told(self._folder, key)
        elif outcome.status == "failed":
            yield Ended(key, None, failure=outcome.text)

    def _end(self) -> None:
        """No task is left: told to end, waited for, then killed."""
        if not self._keys or self._lost:
            return
        self._ask("order", "end")
        deadline = time.monotonic() + GRACE_S
        while self._keys and time.monotonic() < deadline:
            for ref in self._done(1.0):
                del self._keys[ref]
        for ref in self._keys:
            self._ray.cancel(ref, force=True)

    def _done(self, wait_s: float) -> list[Any]:
        """The tasks that have ended, after waiting for some. Raises ClusterLost."""
        with self._heeding():
            done, _ = self._ray.wait(list(self._keys), num_returns=len(self._keys), timeout=wait_s)
            return list(done)

    def _ask(self, method: str, *words: Any) -> Any:
        """What the desk says. Raises ClusterLost."""
        with self._heeding():
            asked = getattr(self._desk, method).remote(*words)
            while True:
                with suppress(self._ray.exceptions.GetTimeoutError):
                    return self._ray.get(asked, timeout=ANSWER_S)
                self._demand_head()

    @contextmanager
    def _heeding(self) -> Iterator[None]:
        """Around a call of Ray's: a cluster that does not answer any more ends the run, in words."""
        try:
            self._demand_head()
            yield
        except (self._ray.exceptions.RayError, OSError) as error:
            raise self._gone(" ".join(str(error).split())[:300]) from None

    def _demand_head(self) -> None:
        if self._head.lost():
            raise self._gone("its head does not answer")

    def _gone(self, why: str) -> ClusterLost:
        self._lost = True
        advice = "--resume goes on from there, on a new cluster or, without --executor, on this machine"
        return ClusterLost(f"the Ray cluster is lost: {why}; what was finished or paid is in {self._folder}; {advice}")

    def sweep(self) -> None:
        """Remove what is left on every node, whatever happened there, or at least here; a node that is lost is swept
        by its next start."""
        sandbox = self._errand.words.sandbox
        if self._lost:
            sweep_here(sandbox)
            return
        for _ in self._cluster.each(self._cluster.nodes(), sweep_here, sandbox):
            pass


def play_task(errand: Errand, given: Given, desk: Any) -> Outcome:
    """The Ray task: an episode, with the GPUs that Ray gave it."""
    import ray

    head = Head(ray.get_runtime_context().gcs_address)

    def ask(method: str, *words: Any) -> Any:
        asked = getattr(desk, method).remote(*words)
        while True:
            with suppress(ray.exceptions.GetTimeoutError):
                return ray.get(asked, timeout=ANSWER_S)
            if head.lost():
                raise Abandoned("the cluster is lost")

    devices = ray.get_runtime_context().get_accelerator_ids().get("GPU", ())
    return play(errand, given, ask, tuple(devices))


def sweep_here(sandbox: str) -> None:
    """Remove what dead runs left on this machine."""
    open_engine(sandbox).close()  # type: ignore[arg-type]


@contextmanager
def _nonce(folder: Path) -> Iterator[tuple[Path, str]]:
    """A file in the run's folder that only those can read who see this very folder."""
    (folder / LOCKS).mkdir(exist_ok=True)
    text = secrets.token_hex(32)
    file = replace_file(folder / LOCKS / NONCE, text.encode())
    try:
        yield file, text
    finally:
        file.unlink(missing_ok=True)
