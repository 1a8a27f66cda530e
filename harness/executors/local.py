"""Episodes in processes of this machine, as many at once as it has room for.

Takes and gives what every Executor does. A worker is an interpreter of its own that plays one episode after another:
nothing is forked, so no thread or lock of ours is copied. A worker that dies is replaced and its episode played on, a
few times; what its containers were is removed by the next engine that opens. One that says what no worker says is
killed, and counts as dead.
"""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import GymboardError, SandboxError, UsageError
from harness.executors.base import Job
from harness.executors.machine import Machine, Room
from harness.executors.said import Fault, Left, Over, Playing, Said, said
from harness.executors.wire import NoMessage, Wire
from harness.executors.words import RunWords
from harness.runner.progress import Watch
from harness.runner.run import Ended, told
from harness.sandbox import open_engine

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from harness.executors.worker import main; main()"
LOOK_S = 0.25
DEATHS = 3
"""Of the workers of one episode, after which it is left to --resume."""
END_S = 60.0


class Processes:
    """`most` None: as many as the machine's processors, memory and GPUs allow; a number: as many, whatever they take of
    the processors."""

    def __init__(self, most: int | None, machine: Machine) -> None:
        self._most, self._machine = most, machine

    def run(self, words: RunWords, jobs: Sequence[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """See harness.executors.base.Executor."""
        crew = _Crew(words, self._machine, self._most)
        try:
            yield from crew.play(list(jobs), watch, stop)
        finally:
            crew.end()


@dataclass(eq=False)
class _Worker:
    """One process; `job` is what it plays."""

    process: subprocess.Popen[bytes]
    wire: Wire
    devices: tuple[str, ...]
    job: Job | None = None


class _Crew:
    """The workers of one run."""

    def __init__(self, words: RunWords, machine: Machine, most: int | None) -> None:
        self._words, self._most, self._machine = words, most, machine
        self._room = Room(machine.cpus if most is None else None, machine.memory_mib)
        self._devices = [str(number) for number in range(machine.gpus)]
        self._workers: list[_Worker] = []
        self._wires = selectors.DefaultSelector()
        self._deaths: Counter[str] = Counter()
        self._unclean = False

    def play(self, due: list[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """Until nothing is due or running; once `stop` is set, until nothing is running."""
        told = False
        while any(worker.job for worker in self._workers) or (due and not stop.is_set()):
            if stop.is_set() and not told:
                told = True
                for worker in self._workers:
                    worker.wire.send({"finish": True})
            while not stop.is_set() and self._begin(due):
                pass
            for found, _ in self._wires.select(LOOK_S):
                yield from self._heard(found.data, due, watch, stop)

    def _begin(self, due: list[Job]) -> bool:
        """Begin the first job that fits; the very first when nothing runs, whatever it needs."""
        busy = [worker for worker in self._workers if worker.job]
        if self._most is not None and len(busy) >= self._most:
            return False
        for job in due:
            if (not busy or self._room.fits(job.needs)) and (worker := self._worker(job)):
                due.remove(job)
                self._room.take(job.needs)
                worker.job = job
                worker.wire.send({"play": job.key})
                return True
        return False

    def _worker(self, job: Job) -> _Worker | None:
        """An idle one with as many GPUs as the job needs, or a new one; None while the GPUs are taken."""
        count = self._machine.gpus if job.needs.gpus is None else job.needs.gpus
        idle = [worker for worker in self._workers if worker.job is None]
        if fitting := next((worker for worker in idle if len(worker.devices) == count), None):
            return fitting
        for worker in idle:  # its GPUs are counted differently; a run has at most two kinds of job
            self._dismiss(worker)
        if len(self._devices) < count:
            return None
        taken, self._devices = self._devices[:count], self._devices[count:]
        return self._hired(tuple(taken))

    def _hired(self, devices: tuple[str, ...]) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", BOOT, str(theirs.fileno()), *sys.path],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=2,
                start_new_session=True,
            )
        worker = _Worker(process, Wire(ours), devices)
        worker.wire.send({"words": self._words.model_dump_json(), "devices": devices})
        self._workers.append(worker)
        self._wires.register(worker.wire, selectors.EVENT_READ, worker)
        return worker

    def _heard(self, worker: _Worker, due: list[Job], watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        try:
            messages = worker.wire.receive()
            for message in messages or ():
                yield from self._acted(worker, said(message), watch, stop)
        except NoMessage as nonsense:
            worker.process.kill()
            self._unclean = True
            yield from self._died(worker, due, f"it wrote {nonsense}")
        else:
            if messages is None:
                yield from self._died(worker, due)

    def _acted(self, worker: _Worker, message: Said, watch: Watch, stop: threading.Event) -> Iterator[Ended]:
        """On what a worker says of the episode that it plays, and of no other. Raises NoMessage."""
        if isinstance(message, Fault):
            raise (UsageError if message.code == UsageError.exit_code else GymboardError)(message.fault)
        left = isinstance(message, Left) and not stop.is_set()
        if worker.job is None or message.key != worker.job.key or left:
            raise NoMessage("a message about an episode that it does not play, or may not leave")
        if isinstance(message, Playing):
            watch(message.progress.progress())
            return
        self._room.give(worker.job.needs)
        worker.job = None
        if isinstance(message, Over):
            yield self._ended(message.key, message)

    def _ended(self, key: str, over: Over) -> Ended:
        if over.failure:
            return Ended(key, None, failure=over.failure)
        return told(self._words.folder, key, fresh=over.fresh)

    def _died(self, worker: _Worker, due: list[Job], why: str = "") -> Iterator[Ended]:
        job = worker.job
        self._dismiss(worker)
        if job is None:
            return
        self._room.give(job.needs)
        self._reap()
        self._deaths[job.key] += 1
        if self._deaths[job.key] < DEATHS:
            due.insert(0, job)
            return
        how = why or _how(worker.process.returncode)
        yield Ended(job.key, None, failure=f"its worker process died {DEATHS} times, at last {how}")

    def _reap(self) -> None:
        """Remove what the dead left. An engine that does not answer now is asked again at the end."""
        try:
            open_engine(self._words.sandbox).close()
            self._unclean = False
        except SandboxError:
            self._unclean = True

    def _dismiss(self, worker: _Worker) -> None:
        """End one that plays nothing, or is dead."""
        self._workers.remove(worker)
        self._wires.unregister(worker.wire)
        worker.wire.send({"end": True})
        worker.wire.close()
        self._wait(worker, time.monotonic() + END_S)
        self._devices += worker.devices

    def _wait(self, worker: _Worker, deadline: float) -> None:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
            self._unclean = True

    def end(self) -> None:
        """No worker is left, and nothing of theirs."""
        deadline = time.monotonic() + END_S
        try:
            for worker in self._workers:
                worker.wire.send({"end": True})
            for worker in self._workers:
                self._wait(worker, deadline)
        finally:
            for worker in self._workers:
                with suppress(ProcessLookupError):
                    worker.process.kill()
                self._unclean |= worker.process.wait() < 0
                worker.wire.close()
            self._workers.clear()
            self._wires.close()
            if self._unclean:
                open_engine(self._words.sandbox).close()


def _how(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
