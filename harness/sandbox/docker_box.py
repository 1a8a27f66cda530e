"""An agent's container: a shell over the exec socket, files in and out, and three ways to stop what runs.

Takes a created container; gives harness.sandbox.base.Sandbox. Copy-out does not freeze the container: the helper runs
in it as the agent's user, follows no link, and reads each file by one descriptor, so that what is swapped, grown or
linked meanwhile is refused or not seen. It is kept for the next question, because to start it costs far more than an
answer; one that does not wake is replaced. When the agent disturbs a fresh one, the container is restarted (no agent
process is left, the workspace stays) and the question put once more. A container that ended though nothing within can
end it was taken away by the machine: PlaceLost. Never mounts or opens an agent's file on the host.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from docker.errors import APIError, NotFound

from harness.engine import engine_call
from harness.errors import InvalidArtifact, PlaceLost, SandboxError
from harness.sandbox import copyout
from harness.sandbox.base import BoxSpec, EngineKind, ExecResult, blaming
from harness.sandbox.channel import Channel, ChannelClosed
from harness.sandbox.docker_stream import EngineStream
from harness.sandbox.lifeline import Lifeline
from harness.sandbox.patch import FILE_CAP_BYTES, patch_text, starter_digests
from harness.sandbox.shell import ARGV, Shell

if TYPE_CHECKING:
    from docker import APIClient
    from docker.models.containers import Container

AGENT_UID = 1000
WORKSPACE = "/workspace"
KILL_LIMIT_S = 5.0
ENDS_S = 3.0
"""The kernel lets a killed first process go when all others are gone; until then the engine says it runs."""
UNPACK_LIMIT_S = 60.0
# The starter comes in over the shell's own input, before the shell: what the engine has for it starts a program of the
# engine's own for every container, and takes more than the container's shell does.
UNPACK = "head -c {size} | tar -xpf - && exec {shell}"
GOING = ("already in progress", "no such container", "no container with")
# Everything of our user younger than the age that is read, in hundredths of a second (proc(5): field 22, USER_HZ is
# 100), but not what the engine itself started: the shell and we, whose parent is 0. The age is asked for last, because
# a program may take long to start in a container.
KILL_NEWER = r"""
echo ready; read -r age
read -r up _ </proc/uptime; since=$(( 10#${up/./} - age - 3 ))
for stat in /proc/[0-9]*/stat; do
  pid=${stat#/proc/}; pid=${pid%/stat}
  read -r line 2>/dev/null <"$stat" || continue
  set -- ${line##*) }
  [ "${2:-0}" != 0 ] && [ "${20:-0}" -ge "$since" ] && kill -9 "$pid" 2>/dev/null
done
"""
Answer = TypeVar("Answer")


class DockerSandbox:
    """One agent's container; `remove` takes it away for good, `life` knows whether the engine ended."""

    kind: EngineKind = "docker"
    workspace = WORKSPACE

    def __init__(self, spec: BoxSpec, container: Container, remove: Callable[[], None], life: Lifeline) -> None:
        self._spec = spec
        self._container = container
        self._remove = remove
        self._life = life
        self._helper: EngineStream | None = None
        self._packed: bytes | None = _packed(spec.starter)
        with engine_call("starting an agent's container"):
            container.start()
        with self._blaming():
            self._shell: Shell | None = Shell(self)
        self._packed = None

    def exec(self, command: str, timeout_s: float) -> ExecResult:
        shell = self._open()
        with self._blaming():
            return shell.run(command, timeout_s)

    def start(self, argv: Sequence[str]) -> EngineStream:
        self._open()
        with self._blaming():
            return self._start(argv, WORKSPACE)

    def stop(self) -> None:
        shell = self._open()
        with self._blaming():
            self.end_everything()
            shell.renew()

    def write(self, path: str, data: bytes) -> None:
        if why := self._undisturbed(lambda channel: copyout.write_file(channel, WORKSPACE, path, data)):
            raise InvalidArtifact(f"cannot write {path!r} in the workspace: {why}")

    def copy_out(self, paths: Sequence[tuple[str, int]]) -> dict[str, bytes]:
        return self._undisturbed(lambda channel: copyout.read_files(channel, WORKSPACE, paths))

    def workspace_patch(self, cap_bytes: int) -> str:
        known = starter_digests(self._spec.starter)

        def ask(channel: Channel) -> str:
            records = copyout.survey(channel, WORKSPACE, known, FILE_CAP_BYTES, 4 * cap_bytes)
            return patch_text(records, self._spec.starter, known, cap_bytes)

        return self._undisturbed(ask)

    def close(self) -> None:
        if self._shell is not None:
            self._shell.close()
            self._shell = None
        self._let_helper_go()
        self._remove()

    def open_shell(self) -> EngineStream:
        """The first one, and until it has answered, brings the starter with it."""
        if self._packed is None:
            return self._start(ARGV, WORKSPACE)
        unpack = UNPACK.format(size=len(self._packed), shell=shlex.join(ARGV))
        channel = self._start(["bash", "-o", "pipefail", "-c", unpack], WORKSPACE)
        channel.send(self._packed, UNPACK_LIMIT_S)
        return channel

    def end_command(self, begun: float) -> None:
        self._there()
        self._finish(["bash", "-c", KILL_NEWER], lambda: b"%d\n" % ((time.monotonic() - begun) * 100))

    def end_everything(self) -> None:
        """`kill -1` reaches every process of the user but the caller; when none can be started, the container goes."""
        self._there()
        if not self._finish(["bash", "-c", "kill -9 -1"]):
            self.restart()

    def restart(self) -> None:
        """Raises PlaceLost, after ENDS_S at the latest, where the place was about to end on its own."""
        deadline = time.monotonic() + ENDS_S
        self._there()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            self._there()
        self._let_helper_go()
        with engine_call("restarting an agent's container"):
            self._container.restart(timeout=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _open(self) -> Shell:
        if self._shell is None:
            raise SandboxError("the sandbox is closed")
        return self._shell

    def _there(self) -> None:
        """Raises PlaceLost when the engine ended, or the container did though nothing within can end it: its first
        process is root's, and only the kernel's own want of memory reaches it."""
        self._life.check_engine()
        with engine_call("looking for an agent's container"):
            try:
                state = engine_of(self._container).inspect_container(str(self._container.id))["State"]
            except NotFound:
                raise PlaceLost("somebody outside removed the agent's container") from None
        if not state["Running"] and not state["OOMKilled"]:
            raise PlaceLost(f"somebody outside ended the agent's container (exit code {state['ExitCode']})")

    def _blaming(self) -> contextlib.AbstractContextManager[None]:
        return blaming(self._there)

    def _start(self, argv: Sequence[str], folder: str) -> EngineStream:
        api = engine_of(self._container)
        with engine_call(f"running {argv[0]} in an agent's container"):
            made = api.exec_create(
                str(self._container.id), list(argv), stdin=True, user=str(AGENT_UID), workdir=folder
            )["Id"]
            wrapper = api.exec_start(made, socket=True)

        def ask_exit() -> int | None:
            with self._blaming(), engine_call("asking after a program"):
                state = api.exec_inspect(made)
            return None if state["Running"] else int(state["ExitCode"])

        return EngineStream(wrapper, ask_exit)

    def _finish(self, argv: Sequence[str], reply: Callable[[], bytes] = bytes) -> bool:
        """Run a short program to its end, answering each of its outputs; False when it cannot start or does not end
        (the caller has harder means)."""
        channel: EngineStream | None = None
        try:
            channel = self._start(argv, "/")
            for _ in range(int(KILL_LIMIT_S / 0.25)):
                if channel.receive(0.25):
                    channel.send(reply(), KILL_LIMIT_S)
        except ChannelClosed:
            return True
        except PlaceLost:
            raise
        except (SandboxError, TimeoutError):
            return False
        finally:
            if channel is not None:
                channel.close()
        return False

    def _undisturbed(self, ask: Callable[[Channel], Answer]) -> Answer:
        shell = self._open()
        with self._blaming():
            try:
                return self._once(ask)
            except (copyout.Disturbed, SandboxError):
                self.restart()
                shell.renew()
            try:
                return self._once(ask)
            except copyout.Disturbed as why:
                raise SandboxError(f"the workspace cannot be read in a restarted container: {why}") from None

    def _once(self, ask: Callable[[Channel], Answer]) -> Answer:
        """Asked of the helper that is kept while it answers, else of a fresh one; kept when its answer is whole."""
        try:
            return ask(self._awake() or self._fresh())
        except BaseException:
            self._let_helper_go()
            raise

    def _awake(self) -> EngineStream | None:
        """The helper of the last question, when the agent has not ended or stopped it since."""
        if self._helper is not None:
            try:
                copyout.wake(self._helper, WORKSPACE)
            except copyout.Disturbed:
                self._let_helper_go()
        return self._helper

    def _fresh(self) -> EngineStream:
        self._helper = self._start(copyout.ARGV, "/")
        return self._helper

    def _let_helper_go(self) -> None:
        if self._helper is not None:
            self._helper.close()
            self._helper = None


def engine_of(container: Container) -> APIClient:
    """The connection that made this container."""
    assert container.client is not None
    return container.client.api


def remove_container(api: APIClient, container: str) -> None:
    """Gone with its anonymous volumes, by its id; gone already, or going, is as good."""
    with engine_call(f"removing container {container[:12]}"), contextlib.suppress(NotFound):
        try:
            api.remove_container(container, force=True, v=True)
        except APIError as error:
            if not any(words in str(error).lower() for words in GOING):
                raise


def _packed(starter: Path) -> bytes:
    """The starter's folders and regular files as a tar that belongs to the agent."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(starter.rglob("*")):
            entry = tar.gettarinfo(str(path), path.relative_to(starter).as_posix())
            if not (entry.isfile() or entry.isdir()):
                raise SandboxError(f"the starter has {path.name!r}, which is neither a file nor a folder")
            entry.uid = entry.gid = AGENT_UID
            entry.uname = entry.gname = ""
            entry.mode |= 0o600
            with path.open("rb") if entry.isfile() else io.BytesIO() as content:
                tar.addfile(entry, content)
    return packed.getvalue()
