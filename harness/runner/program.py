"""Plays an episode with a finished program: starts it in the sandbox, answers its `validate` and `submit`, ends it.

Takes a CommandAgent and the running episode, gives the exit status. The program's run is one bash action, recorded when
it has ended; each hand-in is a step. What it prints is kept, bounded, and never acted on.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from harness.agents.base import Observation
from harness.agents.command import CommandAgent
from harness.errors import EpisodeOver, RunSpent
from harness.gateway import runtime
from harness.gateway.asks import Asks
from harness.gateway.door import Door
from harness.runner.words import command_text
from harness.sandbox.base import ExecResult, Sandbox
from harness.sandbox.channel import STDOUT, Channel, ChannelClosed
from harness.sandbox.output import HeadTail
from harness.sandbox.owner import folder_prefix
from harness.schema.episode import ExitStatus
from harness.schema.steps import Action

if TYPE_CHECKING:
    from harness.gateway.server import Gateway, Metered

OUTPUT_CAP_BYTES = 64 << 10
LOOK_S = 0.25


class Stage(Protocol):
    """What a program's episode needs of EpisodeRun."""

    def limit(self, ahead: int = 0) -> ExitStatus | None:
        """The limit that `ahead` more steps meet, if any."""
        ...

    def take(self, box: Sandbox, action: Action) -> Observation:
        """Execute an action as the agent's next step, recorded."""
        ...

    def note(self, action: Action, observation: Observation, begun: float) -> None:
        """Record an action that has been executed since `begun` (of time.monotonic)."""
        ...

    def auto_submit(self, box: Sandbox) -> None:
        """Hand in what is there, as the harness."""
        ...

    def rest(self) -> None:
        """Between two steps. Raises Abandoned when the episode shall end here, unfinished."""
        ...


class ProgramPlace:
    """The folder beside a program: `bin/`, start.py, the instruction, the door; with a model its gateway."""

    def __init__(
        self, agent: CommandAgent, folder: Path, model: Metered | None, instruction: str, opened: ExitStack
    ) -> None:
        self.agent, self._model = agent, model
        self.mounts: Mapping[str, Path] = {
            "harness": folder,
            **({"program": agent.program} if agent.program is not None else {}),
        }
        self.asks = Asks()
        _lay_out(folder, instruction)
        self._doors = [opened.enter_context(Door(folder / "door.sock", self.asks))]
        self.gateway: Gateway | None = None
        if model is not None:
            from harness.gateway.server import Gateway

            key = f"gymboard-{secrets.token_hex(16)}"
            self.gateway = Gateway(model, key)
            self._doors.append(opened.enter_context(Door(folder / "model.sock", self.gateway)))
            (folder / "model.json").write_text(json.dumps({"key": key, "name": model.name}))
        for file in folder.rglob("*"):
            file.chmod(0o666 if file.is_socket() else 0o755)

    def look(self) -> None:
        """Raises what ended the episode from behind a door: EpisodeOver, ModelUnavailable."""
        for door in self._doors:
            if door.fault is not None:
                raise EpisodeOver("runtime", f"a door of the harness failed: {door.fault!r}") from door.fault
        if self.gateway is not None and self.gateway.over is not None:
            raise self.gateway.over

    def play(self, stage: Stage, box: Sandbox) -> tuple[ExitStatus, str | None]:
        """Until the program ends, submits, or meets a limit. Raises SandboxError."""
        begun = time.monotonic()
        program = Running(box.start(["python3", "-I", "-S", self._seen("start.py", box), self.agent.command]))
        end, detail, submits = self._attend(stage, box, program)
        code = program.exit_code()
        box.stop()
        result = program.ended(code, time.monotonic() - begun)
        stage.note(Action(kind="bash", command=self.agent.command), Observation(command_text(result), code), begun)
        if submits:
            stage.take(box, Action(kind="submit"))
        else:
            stage.auto_submit(box)
        if end is None and not submits and code != 0:
            return "runtime", f"the program ended with exit code {code} and had not submitted"
        return end or "success", detail

    def _attend(self, stage: Stage, box: Sandbox, program: Running) -> tuple[ExitStatus | None, str | None, bool]:
        """Answer questions; which limit ended it, in what words, and whether the program submits. The program's run
        itself is a step, so one is always kept for it."""
        try:
            while True:
                if at_limit := stage.limit(ahead=1):
                    return at_limit, None, False
                self.look()
                if self._model is None or not self._model.asking:  # an answer on its way is paid
                    stage.rest()
                ask = self.asks.next(LOOK_S)
                if ask is None:
                    if program.exit_code() is not None:
                        return None, None, False
                    continue
                if ask.kind == "submit":
                    ask.answer.cancel()
                    return None, None, True
                try:
                    observation = stage.take(box, Action(kind="validate"))
                except BaseException:
                    ask.answer.cancel()
                    raise
                ask.answer.set_result((observation.text, observation.exit_code or 0))
        except EpisodeOver as over:
            if isinstance(over, RunSpent) and self._model is not None and not self._model.paid():
                raise  # not begun, as for any other agent
            return over.status, str(over)[:2000], False
        finally:
            self.asks.close()

    def _seen(self, name: str, box: Sandbox) -> str:
        """A file of the folder as the sandbox sees it."""
        return f"/mnt/harness/{name}" if box.kind == "docker" else str(self.mounts["harness"] / name)


class Running:
    """A started program whose output is drained at all times, so that it never waits for us."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._kept = {True: HeadTail(OUTPUT_CAP_BYTES), False: HeadTail(OUTPUT_CAP_BYTES)}
        self._pump = threading.Thread(target=self._drain, name="gymboard-program", daemon=True)
        self._pump.start()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._channel.exit_code()

    def ended(self, code: int | None, duration_s: float) -> ExecResult:
        """Everything it left; call it after the sandbox was told to stop."""
        self._pump.join(timeout=10)
        self._channel.close()
        out, err = self._kept[True], self._kept[False]
        note = None if code is not None else "stopped: the episode ended before the program did"
        return ExecResult(out.text(), err.text(), code, False, out.dropped + err.dropped, duration_s, note)

    def _drain(self) -> None:
        while True:
            try:
                chunks = self._channel.receive(LOOK_S)
            except ChannelClosed:
                return
            for stream, data in chunks:
                self._kept[stream == STDOUT].feed(data)


@contextmanager
def program_place(agent: CommandAgent, model: Metered | None, instruction: str) -> Iterator[ProgramPlace]:
    """A folder that only we and the sandbox's user reach, and its doors; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=folder_prefix()) as made, ExitStack() as opened:
        folder = Path(made) / "harness"
        folder.mkdir()
        yield ProgramPlace(agent, folder, model, instruction, opened)


def _lay_out(folder: Path, instruction: str) -> None:
    here = Path(str(runtime.__file__)).parent
    folder.chmod(0o755)
    (folder / "bin").mkdir()
    shutil.copy(here / "start.py", folder / "start.py")
    for name in ("validate", "submit"):
        shutil.copy(here / "ask.py", folder / "bin" / name)
    (folder / "instruction.md").write_text(instruction, encoding="utf-8")
