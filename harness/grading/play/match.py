"""One referee and its players as running processes, and the control exchange with the referee.

Takes a Stage and an Engine, gives the referee's last line; never sees, relays or parses a frame of the players'. The
referee writes one JSON object a line: {"start": name}, answered by starting that player; {"turn": name or null},
answered with {"cpu_s": {...}} after pausing the others; {"end": name}, answered with {"ended": name} when that player
is gone and the page cache says nothing of it; and last {"verdict": ...} or {"invalid": reason, "player": name,
"silent": bool}.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from harness.errors import GradingError, InvalidArtifact, PlaceLost, SandboxError, StillRunning
from harness.grading.base import GradeJob
from harness.grading.play.reason import clean
from harness.grading.play.stage import OURS, Stage
from harness.sandbox.base import Caps, Engine, Process, ProcessSpec

LINE_CAP = 64 * 1024
READ = b"read"
STILL_RUNNING = "its processes did not stand still when it was paused: some were in the middle of a long system call"
NOT_ENDED = "its processes could not be ended: some were in the middle of a long system call"
WORDS_CAP = 1000
GRACE_S = 30.0
REFEREE_CAPS = Caps(memory_mib=2048, cpus=1.0, pids=256)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC", "PJRT_NPROC")
"""How many threads a library starts; XLA (the last two), like the others, would start as many as the host has cores."""


class PlayerFault(Exception):
    """What a player did to the match beside playing it."""

    def __init__(self, name: str, reason: str, *, silent: bool) -> None:
        super().__init__(name, reason)
        self.last = {"invalid": reason, "player": name, "silent": silent}


class Match:
    """The processes of one grade. Leaving the context kills all of them and drops the shared folder."""

    def __init__(self, job: GradeJob, stage: Stage, engine: Engine) -> None:
        self._job = job
        self._stage = stage
        self._engine = engine
        self._cleanup = ExitStack()
        self._players: dict[str, Process] = {}
        self._paused: set[str] = set()
        self._stuck: set[str] = set()
        self._referee: Process
        self._shared = ""
        self._deadline = time.monotonic() + job.task.limits.grade_time_s + GRACE_S

    def __enter__(self) -> Self:
        try:
            self._shared = self._engine.shared_folder()
            self._cleanup.callback(self._engine.drop_shared, self._shared)
            self._referee = self._engine.process(self._referee_spec())
            self._cleanup.callback(self._referee.kill)
        except BaseException:
            self._cleanup.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Raises InvalidArtifact where a player cannot be ended: were that the machine's fault, one that plays badly
        could be played again."""
        try:
            self._cleanup.close()
        except SandboxError:
            if not self._stuck and (kind is None or issubclass(kind, Exception)):
                raise  # an order to end (Ctrl-C, SIGTERM) stays what it is; the engine's close() tries again
        if kind is None and self._stuck - {OURS}:
            raise InvalidArtifact(NOT_ENDED)

    def run(self) -> dict[str, Any]:
        """Play the match to its end: the referee's last line. Raises GradingError when the referee fails."""
        handlers: dict[str, Callable[[Any], None]] = {"start": self._start, "turn": self._turn, "end": self._end}
        self._send(self._settings())
        while True:
            line = self._hear()
            key = next((name for name in handlers if name in line), None)
            if key is None:
                return line
            try:
                handlers[key](line[key])
            except PlayerFault as fault:
                return fault.last

    def last_words(self, name: str) -> str:
        """How a player ended and the end of its stderr, once it has gone (waits a moment for that)."""
        player = self._players.get(name)
        if player is None:
            return ""
        until = time.monotonic() + 2
        while player.exit_code() is None and time.monotonic() < until:
            time.sleep(0.02)
        ended = "" if player.exit_code() is None else f"exit code {player.exit_code()}\n"
        return ended + clean(player.stderr_tail(), WORDS_CAP)

    def _settings(self) -> dict[str, Any]:
        task, job = self._job.task, self._job
        return {
            "seed": job.seed.hex(),
            "split": job.split,
            "params": task.profiles[job.profile].params,
            "players": [name for name in self._stage.players if name not in self._stage.late],
            "grade_time_s": task.limits.grade_time_s,
            "reply_time_s": task.limits.reply_time_s,
        }

    def _start(self, name: str) -> None:
        player = self._engine.process(self._player_spec(name))
        self._cleanup.callback(self._kill, name, player)
        self._players[name] = player

    def _kill(self, name: str, player: Process) -> None:
        try:
            player.kill()
        except PlaceLost:
            raise
        except SandboxError:
            self._stuck.add(name)  # it goes on within the kernel; the engine's close() removes it
            raise

    def _end(self, name: str) -> None:
        try:
            self._kill(name, self._players.pop(name))
        except SandboxError:
            if name in self._stuck:
                raise PlayerFault(name, NOT_ENDED, silent=False) from None
            raise
        if self._engine.kind == "docker":
            self._read_everything()
        self._send({"ended": name})

    def _read_everything(self) -> None:
        """Containers share their image's files: a page that the ended player dropped, or read in, is a bit that the
        next one can time. Raises GradingError when it cannot be done."""
        reader = self._engine.process(self._reader_spec())
        self._cleanup.callback(reader.kill)
        if reader.read_line(self._deadline - time.monotonic(), LINE_CAP) != READ:
            words = clean(reader.stderr_tail(), WORDS_CAP)
            raise GradingError(f"{self._job.task.id}: the image's files could not be read between two players: {words}")
        reader.kill()

    def _turn(self, name: str | None) -> None:
        for other in self._players.keys() - self._paused:
            self._pause(other)
        used = {other: player.cpu_s() for other, player in self._players.items()}
        if name is not None:
            self._players[name].resume()
            self._paused.discard(name)
        self._send({"cpu_s": used})

    def _pause(self, name: str) -> None:
        """A player that has ended cannot be paused, and what it used can no longer be measured: that is its fault. So
        is work in the kernel that goes on long after its answer: a grade that fails for it would be played again."""
        fault = None
        try:
            self._players[name].pause()
        except SandboxError as error:
            fault = error
        if self._players[name].exit_code() is not None:
            raise PlayerFault(name, "it ended before the match did", silent=True)
        if isinstance(fault, StillRunning):
            raise PlayerFault(name, STILL_RUNNING, silent=False)
        if fault:
            raise fault
        self._paused.add(name)

    def _send(self, tree: dict[str, Any]) -> None:
        try:
            self._referee.send(json.dumps(tree).encode() + b"\n")
        except SandboxError as error:
            raise self._failure(str(error)) from error

    def _hear(self) -> dict[str, Any]:
        try:
            line = self._referee.read_line(self._deadline - time.monotonic(), LINE_CAP)
        except SandboxError as error:
            raise self._failure(str(error)) from error
        if not line:
            raise self._failure("it ended without a verdict")
        try:
            tree = json.loads(line)
        except ValueError:
            raise self._failure(f"it wrote {line[:200]!r}, which is not JSON") from None
        return tree if isinstance(tree, dict) else {}

    def _failure(self, reason: str) -> GradingError:
        words = [clean(self._referee.stderr_tail(), 3 * WORDS_CAP), *map(self.last_words, self._players)]
        return GradingError("\n".join([f"the referee of {self._job.task.id} failed: {reason}", *filter(None, words)]))

    def _referee_spec(self) -> ProcessSpec:
        return ProcessSpec(
            role="referee",
            image=self._job.task.image,
            argv=("python3", "-B", "-m", "gymplay.referee_main", "{grader}", "{shared}"),
            mounts={"runtime": self._stage.runtime, "grader": self._stage.grader, **self._data()},
            env={"PYTHONPATH": "{runtime}", "JAX_PLATFORMS": "cpu"} | _threads(REFEREE_CAPS),
            shared=self._shared,
            shared_writable=True,
            caps=REFEREE_CAPS,
        )

    def _data(self) -> dict[str, Path]:
        return {"data": self._stage.data} if self._stage.data else {}

    def _reader_spec(self) -> ProcessSpec:
        """What a player of this stage sees, but no artifact."""
        return ProcessSpec(
            role="player",
            image=self._job.task.image,
            argv=("python3", "-I", "-S", "{runtime}/gymplay/read_everything.py"),
            mounts={"runtime": self._stage.runtime},
            caps=self._stage.player_caps,
        )

    def _player_spec(self, name: str) -> ProcessSpec:
        adapter, caps = str(self._job.task.grader.adapter), self._stage.player_caps
        return ProcessSpec(
            role="player",
            image=self._job.task.image,
            argv=("python3", "-B", "-m", "gymplay.player_main", adapter, "{artifact}", "{shared}/" + name + ".sock"),
            mounts={"runtime": self._stage.runtime, "artifact": self._stage.players[name]},
            env={"PYTHONPATH": "{runtime}", "PYTHONHASHSEED": "0", "JAX_PLATFORMS": "cpu"} | _threads(caps),
            shared=self._shared,
            caps=caps,
        )


def _threads(caps: Caps) -> dict[str, str]:
    return dict.fromkeys(THREADS, str(max(1, math.ceil(caps.cpus))))
