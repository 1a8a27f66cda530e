"""One bash kept open, a command at a time: framing, syntax check, deadline, restart with folder and environment.

Takes a host (who opens channels and kills), gives an ExecResult per command. The end-of-command mark, a fresh nonce
each time, goes to both streams and both are awaited. It is framing, not security: a program of the same user can forge
it, which confuses that user's own shell and nothing else. Never reads anything that is graded.
"""

from __future__ import annotations

import re
import secrets
import shlex
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.errors import SandboxError
from harness.sandbox.base import ExecResult
from harness.sandbox.channel import STDOUT, Channel, ChannelClosed
from harness.sandbox.output import MarkedStream

ARGV = ("bash", "--noprofile", "--norc")
OUTPUT_CAP_BYTES = 64 << 10
OPEN_LIMIT_S = 15.0
GRACE_S = 1.5
LOOK_AGAIN_S = 0.25
RENEWED = "a new shell has your folder and exported variables; background programs were ended"

# Descriptors 251 and 252 keep the two streams reachable whatever a command does to 1 and 2. The state that a restart
# restores travels with the mark, so nothing is written inside the place. The driver stands in a variable and not in a
# function, where `declare` would be local; and it is sent once, because bash reads its input byte by byte.
# The syntax check parses the command as the body of a function, which costs no fork; a command that has a `}` could
# close that body, and one whose end matters (a here document, a last backslash) fails in it, so both are parsed by a
# subshell with -n instead.
PRELUDE = r"""
exec 251>&1 252>&2
__gymboard_end() {
  builtin printf '\036%s %s %s\036' "$__gymboard_nonce" "$1" "$2" >&251
  { builtin printf '\036%s %q\n' "$__gymboard_nonce" "$PWD"; builtin declare -px; builtin printf '\036'; } >&252
}
readonly -f __gymboard_end
__gymboard_driver='if { [[ $__gymboard != *\}* ]] && builtin eval "__gymboard_body() {
$__gymboard
}" 2>/dev/null; } || (builtin eval "set -n
$__gymboard") </dev/null >/dev/null 2>&252
then builtin eval "$__gymboard" </dev/null >&251 2>&252
__gymboard_end $? run; else __gymboard_end 2 syntax; fi'
readonly __gymboard_driver
trap '__gymboard_end $? exit' EXIT
shopt -s extglob
"""
COMMAND = """__gymboard_nonce={nonce} __gymboard={command}
eval "$__gymboard_driver"
"""
END = re.compile(r"(\d+) (run|syntax|exit)")
Outcome = Literal["ended", "died", "late"]


class ShellHost(Protocol):
    """What a shell needs of its place. The three ways to stop are tried in this order, each harder than the last."""

    def open_shell(self) -> Channel: ...

    def end_command(self, begun: float) -> None:
        """Kill what started since `begun` (of time.monotonic), the shell itself excepted."""
        ...

    def end_everything(self) -> None:
        """Kill every process of the agent's user, the shell included."""
        ...

    def restart(self) -> None:
        """Make the place anew with its workspace as it is; no agent process is left."""
        ...


@dataclass
class _Reply:
    """Both streams of one command."""

    nonce: str
    out: MarkedStream
    err: MarkedStream

    @classmethod
    def fresh(cls) -> _Reply:
        nonce = secrets.token_hex(8)
        return cls(nonce, MarkedStream(nonce, OUTPUT_CAP_BYTES), MarkedStream(nonce, OUTPUT_CAP_BYTES))

    @property
    def complete(self) -> bool:
        return self.out.mark is not None and self.err.mark is not None

    def feed(self, stream: int, data: bytes) -> None:
        (self.out if stream == STDOUT else self.err).feed(data)

    def end(self) -> tuple[int | None, str]:
        """Exit code and how it ended; a forged mark that says nonsense has no exit code."""
        found = END.fullmatch(self.out.mark or "")
        return (int(found[1]), found[2]) if found else (None, "run")


class Shell:
    """The persistent shell of one sandbox."""

    def __init__(self, host: ShellHost) -> None:
        self._host = host
        self._state = ""
        self._channel: Channel | None = None
        self._open()

    def run(self, command: str, timeout_s: float) -> ExecResult:
        """Run one command; returns by `timeout_s` and the few seconds that stopping takes. Raises SandboxError when
        the place cannot be brought back."""
        begun = time.monotonic()
        if "\0" in command:
            return _refused("the command contains a NUL character; nothing was run")
        reply = _Reply.fresh()
        outcome = self._attempt(reply, command, begun + timeout_s)
        code, note = self._settle(outcome, reply, begun, timeout_s)
        streams = (reply.out, reply.err)
        stdout, stderr = (stream.text() for stream in streams)
        dropped = sum(stream.kept.dropped for stream in streams)
        return ExecResult(stdout, stderr, code, outcome == "late", dropped, time.monotonic() - begun, note)

    def renew(self) -> None:
        """A new shell in the folder and environment of before, after the host restarted its place."""
        self.close()
        self._open()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _settle(self, outcome: Outcome, reply: _Reply, begun: float, timeout_s: float) -> tuple[int | None, str | None]:
        """Bring the shell back when it is needed; exit code, and what to tell the agent."""
        if outcome == "late":
            return None, self._stop(reply, begun, timeout_s)
        if outcome == "died":
            code = self._last_code()
            self._reopen()
            return code, f"the shell ended with this command; {RENEWED}"
        code, how = reply.end()
        self._remember(reply)
        if how == "syntax":
            return code, "syntax error; nothing was run"
        if how == "exit":
            self._reopen()
            return code, f"the command ended the shell; {RENEWED}"
        return code, None

    def _last_code(self) -> int | None:
        """The dead shell's own; its streams may end a moment before its parent knows."""
        deadline = time.monotonic() + GRACE_S
        while (code := self._live().exit_code()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return code

    def _attempt(self, reply: _Reply, command: str, deadline: float) -> Outcome:
        text = COMMAND.format(nonce=reply.nonce, command=shlex.quote(command))
        try:
            self._live().send(text.encode("utf-8", errors="replace"), max(0.1, deadline - time.monotonic()))
        except TimeoutError:
            return "late"
        except ChannelClosed:
            return "died"
        return self._await(reply, deadline)

    def _await(self, reply: _Reply, deadline: float) -> Outcome:
        channel = self._live()
        while not reply.complete:
            left = deadline - time.monotonic()
            if left <= 0:
                return "late"
            try:
                chunks = channel.receive(min(left, LOOK_AGAIN_S))
            except ChannelClosed:
                return "died"
            for stream, data in chunks:
                reply.feed(stream, data)
            if not chunks and channel.exit_code() is not None and not reply.complete:
                return "died"
        return "ended"

    def _stop(self, reply: _Reply, begun: float, timeout_s: float) -> str:
        said = f"stopped: it ran longer than {timeout_s:g} s"
        self._host.end_command(begun)
        if self._await(reply, time.monotonic() + GRACE_S) == "ended" and reply.end()[1] == "run":
            self._remember(reply)
            return said
        self._reopen()
        return f"{said}; {RENEWED}"

    def _reopen(self) -> None:
        """A new shell; the host's harder means are tried when the old one is in the way."""
        self.close()
        self._host.end_everything()
        self._open()

    def _open(self) -> None:
        try:
            self._begin()
        except (SandboxError, ChannelClosed, TimeoutError):
            self.close()
            self._host.restart()
            try:
                self._begin()
            except (ChannelClosed, TimeoutError) as error:
                raise SandboxError(f"no shell starts in a fresh place ({error!r}); the image may lack bash") from None

    def _begin(self) -> None:
        """Open a channel, define the mark, go back to the folder and environment of before."""
        self._channel = self._host.open_shell()
        folder, _, exported = self._state.partition("\n")
        back = f"builtin cd -- {folder} 2>/dev/null\n{exported}" if self._state else ""
        self._channel.send(f"{PRELUDE}builtin eval {shlex.quote(back)} 2>/dev/null\n".encode(), OPEN_LIMIT_S)
        reply = _Reply.fresh()
        outcome = self._attempt(reply, ":", time.monotonic() + OPEN_LIMIT_S)
        if outcome != "ended":
            raise SandboxError(f"a new shell does not answer ({outcome}); it said {reply.err.text()[-500:]!r}")
        self._remember(reply)

    def _remember(self, reply: _Reply) -> None:
        self._state = reply.err.mark or self._state

    def _live(self) -> Channel:
        if self._channel is None:
            raise SandboxError("the sandbox is closed")
        return self._channel


def _refused(why: str) -> ExecResult:
    return ExecResult("", "", 2, timed_out=False, dropped_bytes=0, duration_s=0.0, note=why)
