"""Action and StepLine: what an agent did and what came back, one line of steps.jsonl a step.

The file is only ever appended to; a torn last line (power loss) is dropped on reading, any other fault is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field

from harness.schema.base import Record, Timestamp
from harness.schema.episode import ActionClass

_PYTHON = re.compile(r"\s*([A-Za-z_]\w*=[\w.,:/+-]*\s+)*python")


class Action(Record):
    """One action: a shell command, a file to write (bytes, base64 in JSON), or one of the two ways to hand in."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["bash", "write", "validate", "submit"]
    command: str = ""
    path: str = ""
    data: bytes = b""
    thought: str = ""

    @property
    def action_class(self) -> ActionClass:
        """Upstream's action classes (arXiv 2502.14499). `NAME=value python ...` runs python, too."""
        if self.kind == "bash":
            return "Python" if _PYTHON.match(self.command) else "Bash"
        by_kind: Mapping[str, ActionClass] = {"write": "Edit", "validate": "Validate", "submit": "Submit"}
        return by_kind[self.kind]


class StepLine(Record):
    """One step. `observation` is the text that the agent was shown."""

    step: int = Field(ge=1)
    time: Timestamp
    action: Action
    observation: str
    exit_code: int | None = None
    duration_s: float = Field(ge=0)
    by: Literal["agent", "harness"] = "agent"


def read_steps(file: Path) -> Iterator[StepLine]:
    """Every whole line of a steps.jsonl. Raises SchemaError with the line's number."""
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn, or nothing
        yield StepLine.from_json(line, subject=f"{file.name}:{number}")
