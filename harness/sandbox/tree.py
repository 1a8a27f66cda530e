"""One program and its descendants as plain processes of this machine: start, talk, pause, measure, kill the tree.

Takes an argument list, an environment and limits; gives the program's pipes. Below each program stands a supervisor
(supervisor.py). What a same-uid program can do to the supervisor, it can: then the environment's marker finds the rest.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import SandboxError
from harness.sandbox.base import Caps
from harness.sandbox.channel import STDERR, STDOUT, ChannelClosed, Chunks
from harness.sandbox.supervisor import descendants, kill_tree, parents, send, stat_fields

MARKER = "GYMBOARD_PLACE"
FILE_SIZE_CAP = 8 << 30
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Tree:
    """A running program; a Channel (channel.py) with control over all its processes."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        caps: Caps,
        uid: int | None,
        reach: Sequence[Path],
        umask: int = 0o022,
    ) -> None:
        self._token = uuid.uuid4().hex
        self._code: int | None = None
        self._cpu_s = 0.0
        self._ending = threading.Lock()
        control_in, self._control = os.pipe2(os.O_CLOEXEC)
        self._status, status_out = os.pipe2(os.O_CLOEXEC)
        order = {
            "argv": list(argv),
            "env": {**env, MARKER: self._token},
            "cwd": str(cwd),
            "uid": uid,
            "reach": [str(path) for path in reach],
            "umask": umask,
            "limits": {"RLIMIT_DATA": caps.memory_mib << 20, "RLIMIT_FSIZE": FILE_SIZE_CAP, "RLIMIT_CORE": 0},
            "control": control_in,
            "status": status_out,
        }
        supervisor = Path(__file__).with_name("supervisor.py")
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(supervisor), json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,
            pass_fds=(control_in, status_out),
            bufsize=0,
        )
        os.close(control_in)
        os.close(status_out)
        assert self._supervisor.stdin and self._supervisor.stdout and self._supervisor.stderr
        self._stdin = self._supervisor.stdin.fileno()
        os.set_blocking(self._stdin, False)
        self._streams = {self._supervisor.stdout.fileno(): STDOUT, self._supervisor.stderr.fileno(): STDERR}

    def send(self, data: bytes, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        left = memoryview(data)
        while left:
            if not _ready([self._stdin], select.POLLOUT, deadline - time.monotonic()):
                raise TimeoutError("the program does not read its input")
            try:
                left = left[os.write(self._stdin, left) :]
            except BlockingIOError:
                continue
            except OSError:
                raise ChannelClosed from None

    def receive(self, timeout_s: float) -> Chunks:
        if not self._streams:
            raise ChannelClosed
        chunks = []
        for ready in _ready(list(self._streams), select.POLLIN, timeout_s):
            if data := os.read(ready, 65536):
                chunks.append((self._streams[ready], data))
            else:
                del self._streams[ready]
        if not chunks and not self._streams:
            raise ChannelClosed
        return chunks

    def exit_code(self) -> int | None:
        """The program's own; -9 when the supervisor itself was killed."""
        if self._code is None and _ready([self._status], select.POLLIN, 0):
            text = os.read(self._status, 64)
            self._code = int(text) if text.strip() else -signal.SIGKILL
        return self._code

    def members(self) -> dict[int, int]:
        """Every living process of the tree: pid -> start in clock ticks since boot."""
        return descendants(self._supervisor.pid)

    def kill_newer(self, age_s: float) -> None:
        """Kill what started in the last `age_s` seconds; the program itself and older ones live on."""
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        since = (uptime - age_s - 0.02) * TICKS_PER_S
        program = self._program()
        send([pid for pid, start in self.members().items() if start >= since and pid not in program], signal.SIGKILL)

    def _program(self) -> set[int]:
        """The program's pid, and before it that of the namespace's first process when there is one."""
        first = _oldest_child(self._supervisor.pid)
        try:
            isolated = Path(f"/proc/{first}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink()
        except OSError:
            return {first}
        return {first, _oldest_child(first)} if isolated else {first}

    def pause(self) -> None:
        stopped: set[int] = set()
        while new := [pid for pid in self.members() if pid not in stopped]:
            send(new, signal.SIGSTOP)
            stopped |= set(new)

    def resume(self) -> None:
        send(list(self.members()), signal.SIGCONT)

    def cpu_s(self) -> float:
        """Of the living, and of the dead whom a parent or the supervisor waited for. Never falls."""
        ticks = 0
        for pid in [self._supervisor.pid, *self.members()]:
            with contextlib.suppress(OSError):
                user, system, dead_user, dead_system = map(int, stat_fields(pid)[11:15])
                own = user + system if pid != self._supervisor.pid else 0
                ticks += own + dead_user + dead_system
        self._cpu_s = max(self._cpu_s, ticks / TICKS_PER_S)
        return self._cpu_s

    def kill(self) -> None:
        """Kill everything; what was written before can still be received. Safe to call twice, and from two threads."""
        with self._ending:
            if self._control >= 0:
                self._kill()

    def _kill(self) -> None:
        self.cpu_s()
        self.exit_code()
        os.close(self._control)
        self._control = -1
        try:
            self._supervisor.wait(timeout=40)
        except subprocess.TimeoutExpired:
            kill_tree(self._supervisor.pid, limit_s=5)
            self._supervisor.kill()
            self._supervisor.wait()
        self._kill_marked()
        if self._code is None:
            self._code = -signal.SIGKILL
        os.close(self._status)

    def close(self) -> None:
        """Kill everything and close every pipe. Safe to call twice."""
        self.kill()
        for pipe in (self._supervisor.stdin, self._supervisor.stdout, self._supervisor.stderr):
            if pipe:
                pipe.close()
        self._streams = {}

    def _kill_marked(self) -> None:
        """Only for a supervisor that was killed from inside: its orphans still carry our marker."""
        if self._supervisor.returncode == 0:
            return
        for _ in range(200):
            if not (left := marked(self._token)):
                return
            send(left, signal.SIGKILL)
            time.sleep(0.01)
        raise SandboxError(f"processes {marked(self._token)} of a local place survive SIGKILL; look at them by hand")


def _ready(descriptors: list[int], wanted: int, timeout_s: float) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, wanted)
    return [descriptor for descriptor, _ in poll.poll(max(0.0, timeout_s) * 1000)]


def _oldest_child(parent: int) -> int:
    return min(((start, pid) for pid, (up, start) in parents().items() if up == parent), default=(0, 0))[1]


def marked(token: str) -> list[int]:
    """Processes whose environment carries the marker with this token."""
    wanted = f"{MARKER}={token}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes() and stat_fields(int(entry.name))[0] != "Z":
                    found.append(int(entry.name))
    return found
