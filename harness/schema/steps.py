"""Action and StepLine: what an agent did and what came back, one line of steps.jsonl a step.

The file is only ever appended to; a torn last line (power loss) is dropped on reading, any other fault is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, JsonValue, model_validator

from harness.schema.base import Record, Timestamp
from harness.schema.calls import ModelCall
from harness.schema.command import command_class
from harness.schema.document import read_json
from harness.schema.episode import ActionClass, Attempt

TOOL_CLASSES: Mapping[str, ActionClass] = {
    "open": "View",
    "goto": "View",
    "scroll": "View",
    "create": "Edit",
    "edit": "Edit",
    "insert": "Edit",
    "search_dir": "Search",
    "search_file": "Search",
    "find_file": "Search",
    "memory_write": "Memory",
    "memory_read": "Memory",
    "literature_search": "Literature",
    "read_pdf": "Literature",
}
"""Every tool that an agent may call, with upstream's class of it (arXiv 2502.14499)."""


class Action(Record):
    """One action: a shell command, a file to write (bytes, base64 in JSON), a tool of harness.tools with its
    arguments, one of the two ways to hand in, or none: the model's answer could not be read as an action.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["bash", "write", "tool", "validate", "submit", "none"]
    command: str = ""
    path: str = ""
    data: bytes = b""
    tool: str = ""
    arguments: dict[str, JsonValue] = {}
    thought: str = ""
    reasoning: str = ""
    call_id: str = Field(default="", description="the model's own name for its tool call")

    @model_validator(mode="after")
    def _writable(self) -> Self:
        words = (self.command, self.path, self.tool, self.thought, self.reasoning, self.call_id)
        _, faults = read_json(json.dumps([[words, self.arguments]]))
        if faults:
            raise ValueError(f"cannot be written down: {faults[0].message}")
        return self

    @property
    def action_class(self) -> ActionClass | None:
        """Upstream's action classes; of a shell command what harness.schema.command says. None: no action."""
        if self.kind == "bash":
            return command_class(self.command)
        if self.kind == "tool":
            return TOOL_CLASSES.get(self.tool)
        by_kind: Mapping[str, ActionClass] = {"write": "Edit", "validate": "Validate", "submit": "Submit"}
        return by_kind.get(self.kind)


class StepLine(Record):
    """One step. `observation` is the text that the agent was shown, `calls` what was paid to decide on the action,
    `elapsed_s` the time since the episode's start when the agent was shown it; `attempt` what was handed in, before any
    sealed grade.
    """

    step: int = Field(ge=1)
    time: Timestamp
    action: Action
    observation: str
    exit_code: int | None = None
    duration_s: float = Field(ge=0)
    elapsed_s: float | None = Field(default=None, ge=0)
    calls: tuple[ModelCall, ...] = ()
    attempt: Attempt | None = None
    by: Literal["agent", "harness"] = "agent"


def read_steps(file: Path) -> Iterator[StepLine]:
    """Every whole line of a steps.jsonl. Raises SchemaError with the line's number."""
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is torn, or nothing
        yield StepLine.from_json(line, subject=f"{file.name}:{number}")
