"""A finished program as the agent: a shell script, Claude Code, aider. Takes its command line and its folder.

It runs in the agent's sandbox by harness.runner.program, which this describes and does not do. Its actions are its own:
such an episode cannot be replayed, and its entry rises no higher than `regraded`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.schema.digest import folder_sha256
from harness.schema.episode import Usage

MAX_COMMAND_BYTES = 32 << 10
NAME = "command"


@dataclass(frozen=True)
class CommandAgent:
    """`command` is a line for bash; `program` is mounted read-only as $GYMBOARD_PROGRAM. `declares`: as in the bundle.

    The version is a digest of both, so that another command line is another agent.
    """

    command: str
    program: Path | None = None
    model: str | None = None
    declares: tuple[str, ...] = ()
    name: str = NAME
    version: str = ""

    def usage(self) -> Usage:
        """Nothing: what a program pays, it pays through the gateway."""
        return Usage()


def command_agent(command: str, program: Path | None, model: str | None, name: str | None = None) -> CommandAgent:
    """Checked and with the digest of its folder; `name` is what the board calls it. Raises UsageError, DataError (a
    link in the folder)."""
    if not command.strip() or "\0" in command or len(command.encode(errors="replace")) > MAX_COMMAND_BYTES:
        raise UsageError(f"--cmd must be a line for bash of at most {MAX_COMMAND_BYTES} bytes")
    if program is not None and not program.is_dir():
        raise UsageError(f"--program {program}: there is no such folder")
    digest = folder_sha256(program, caches=True) if program else ""
    declares = ["command", *(["gateway"] if model else []), *([f"program sha256:{digest}"] if program else [])]
    version = hashlib.sha256(f"{digest}\0{command}".encode(errors="replace")).hexdigest()[:12]
    return CommandAgent(command, program, model, tuple(declares), name or NAME, version)
