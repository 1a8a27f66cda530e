"""A person at the terminal as the agent: sees what an agent sees, types commands for the sandbox's shell.

Takes lines from standard input, gives Actions. Foreign text is printed without its control characters. Never waits
longer than the episode has time, so that a line typed later is not the next episode's.
"""

from __future__ import annotations

import os
import select
import sys
import time
from typing import TextIO

from harness import __version__
from harness.agents.base import Briefing, Observation
from harness.errors import EpisodeOver
from harness.schema.episode import Usage
from harness.schema.steps import Action
from harness.terminal import plain

HELP = """Type a command for the shell of the sandbox; a line that ends with \\ goes on in the next.
  :validate   hand in for a validation score, and go on
  :submit     hand in and end the episode (so does the end of the input, Ctrl-D)
  :time       what is left of the limits
  :help       this text"""
READ_BYTES = 4096


class HumanAgent:
    """Reads from `source` (standard input) and prints to `out` (standard error, so that --json stays clean)."""

    name = "human"
    version = __version__
    model: str | None = None

    def __init__(self, source: int | None = None, out: TextIO | None = None) -> None:
        self._source = sys.stdin.fileno() if source is None else source
        self._out = out or sys.stderr
        self._typed = bytearray()
        self._ended = False
        self._left = Observation("").left

    def begin(self, briefing: Briefing) -> None:
        self._print(f"{briefing.task.title}, {briefing.profile}, seed {briefing.seed}\n\n{HELP}\n")
        self._deadline = time.monotonic() + briefing.task.limits.wall_time_s

    def act(self, observation: Observation) -> Action:
        """The next command. Raises EpisodeOver when the episode's time is over."""
        self._left = observation.left
        if observation.left is not None:
            self._deadline = time.monotonic() + observation.left.time_s
        self._print(observation.text)
        while True:
            text = self._command()
            if text is None or text == ":submit":
                return Action(kind="submit")
            if text == ":validate":
                return Action(kind="validate")
            if text.startswith(":"):
                self._print(self._time() if text == ":time" else HELP)
            elif text.strip():
                return Action(kind="bash", command=text)

    def usage(self) -> Usage:
        return Usage()

    def _command(self) -> str | None:
        """What was typed, without its last newline; None at the end of the input."""
        lines: list[str] = []
        while True:
            self._print("> " if lines else "$ ", end="")
            line = self._line()
            if line is None:
                return "\n".join(lines) or None
            lines.append(line)
            if not line.endswith("\\"):
                return "\n".join(lines)

    def _line(self) -> str | None:
        while b"\n" not in self._typed and not self._ended:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([self._source], [], [], left)[0]:
                raise EpisodeOver("wall_time", "the episode's time was over before a command was typed")
            piece = os.read(self._source, READ_BYTES)
            self._ended = not piece
            self._typed += piece
        if not self._typed:
            return None
        line, _, rest = self._typed.partition(b"\n")
        self._typed = bytearray(rest)
        return line.decode("utf-8", errors="replace")

    def _time(self) -> str:
        steps = f"{self._left.steps} steps, " if self._left is not None else ""
        return f"{steps}{max(0.0, self._deadline - time.monotonic()) / 60:.0f} minutes left"

    def _print(self, text: str, end: str = "\n") -> None:
        self._out.write(plain(text) + end)
        self._out.flush()
