"""The protocol of the places where untrusted code runs. Two engines implement it: docker.py and local.py.

An Engine starts two kinds of place: a Sandbox (an agent's container with one persistent shell) and a Process
(one grader program with its own limits). Whatever the code in there does, these calls return or raise
SandboxError; they never hang past their deadline and never write outside what they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

from harness.errors import GradingError, PlaceLost, SandboxError
from harness.sandbox.channel import Channel

EngineKind = Literal["docker", "local"]
NOBODY = 65534


@dataclass(frozen=True)
class Caps:
    """Limits of one place: memory and shared memory in MiB, cpus as a share of cores."""

    memory_mib: int = 2048
    cpus: float = 1.0
    pids: int = 128


@dataclass(frozen=True)
class BoxSpec:
    """An agent's place. `starter` is copied to /workspace (writable); `mounts` name -> host folder, read-only.

    A mount appears as /mnt/<name> in Docker; `env` values and commands reach it through $GYMBOARD_<NAME>
    (e.g. $GYMBOARD_DATA), which is set by the engine in both kinds.
    """

    image: str
    starter: Path
    mounts: Mapping[str, Path] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    caps: Caps = Caps()


@dataclass(frozen=True)
class ExecResult:
    """One command. `exit_code` None: it was killed or the shell died; `note` says so in words for the agent."""

    stdout: str
    stderr: str
    exit_code: int | None
    timed_out: bool
    dropped_bytes: int
    duration_s: float
    note: str | None = None


class Sandbox(Protocol):
    """An agent's place with one persistent shell. Use as a context manager."""

    kind: EngineKind
    workspace: str
    """Absolute path of the workspace as commands in the shell see it."""

    def exec(self, command: str, timeout_s: float) -> ExecResult:
        """Run in the persistent shell: folder and environment survive, also a restart of the shell."""
        ...

    def start(self, argv: Sequence[str]) -> Channel:
        """A program of the agent's user in the workspace, beside the shell. It lives until its own end or stop()."""
        ...

    def stop(self) -> None:
        """End every program of the agent's user; workspace, and the shell's folder and environment, survive."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Create or replace one workspace file as the agent's user (path relative to the workspace). Raises
        InvalidArtifact when the path leads elsewhere: the agent's fault, not the sandbox's."""
        ...

    def copy_out(self, paths: Sequence[tuple[str, int]]) -> dict[str, bytes]:
        """Stream the named regular files out once: (relative path, byte cap). Raises InvalidArtifact on a missing
        file, a link (anywhere in the path), a device, a FIFO, a hard-linked or sparse giant, or one over its cap."""
        ...

    def workspace_patch(self, cap_bytes: int) -> str:
        """Text difference of the workspace against its starter, capped; binary and oversized files are named only."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


@dataclass(frozen=True)
class ProcessSpec:
    """One grader program. In `argv` and `env`, `{name}` stands for the place of the mount called `name`.

    `shared` is a per-grade folder made by Engine.shared_folder(): writable for `shared_writable`, else read-only;
    it is reached as `{shared}`. No network, no capabilities, no writable file system beyond a small tmpfs /tmp.
    """

    role: Literal["referee", "player"]
    image: str
    argv: Sequence[str]
    mounts: Mapping[str, Path] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    shared: str | None = None
    shared_writable: bool = False
    caps: Caps = Caps()


class Process(Protocol):
    """A running grader program. stdin and stdout are the host's alone; stderr is kept, capped, for the reason."""

    def send(self, data: bytes) -> None:
        """Write to its standard input. Raises SandboxError when it is gone."""
        ...

    def read_line(self, timeout_s: float, cap_bytes: int) -> bytes:
        """One line of its standard output without the newline; b'' at its end. Raises SandboxError on the deadline
        or when the line is longer than the cap."""
        ...

    def stderr_tail(self) -> str: ...

    def exit_code(self) -> int | None:
        """None while it runs; negative or 137 when it was killed."""
        ...

    def pause(self) -> None:
        """Freeze every process in there. Raises StillRunning when one of them would not stand still."""
        ...

    def resume(self) -> None: ...

    def cpu_s(self) -> float:
        """CPU seconds of every process that ever ran in there (cgroup), children included."""
        ...

    def kill(self) -> None:
        """End it with all its children and remove every trace. Safe to call twice."""
        ...


class Life(Protocol):
    """The machine's side of what runs, since the moment it was asked for."""

    def check(self) -> None:
        """Raises PlaceLost when the machine took a place away since: the engine ended, or somebody killed a grader from
        outside. Asked before a failure, a verdict of invalid among them, is put on whoever's code ran there."""
        ...


class Engine(Protocol):
    """Starts places. Everything it made is labelled, and is gone after close()."""

    kind: EngineKind

    def image_digest(self, family: str) -> str:
        """`sha256:...` of the image of that name (docker) or of its locked requirements and interpreter (local).
        Raises ImageError, saying how to build it."""
        ...

    def agent_image(self, family: str) -> str:
        """The name of the image that an agent's place is made of: the family, or its CUDA variant."""
        ...

    def gpu_names(self) -> tuple[str, ...]:
        """The models of the GPUs that agents' places get. Raises EngineUnavailable when they are not there."""
        ...

    def sandbox(self, spec: BoxSpec) -> Sandbox: ...

    def shared_folder(self) -> str:
        """A fresh per-grade place for a socket; a name to pass in ProcessSpec.shared."""
        ...

    def drop_shared(self, name: str) -> None: ...

    def process(self, spec: ProcessSpec) -> Process: ...

    def life(self) -> Life:
        """From now on."""
        ...

    def recover(self) -> None:
        """After PlaceLost: wait for the machine, bounded, and remove what it could not be told to remove. Places that
        are still open stay. Raises EngineUnavailable."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


@contextmanager
def blaming(check: Callable[[], None]) -> Iterator[None]:
    """A place's failure within becomes PlaceLost when the machine is at fault, which `check` says by raising it."""
    try:
        yield
    except PlaceLost:
        raise
    except (SandboxError, GradingError):
        check()
        raise
