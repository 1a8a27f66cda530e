"""What a tool is: a JSON schema for its arguments, a help text for the model, and one function on the sandbox.

Takes arguments and the episode's ToolState, gives text and an exit code. The runner executes tools, so a recorded
tool call can be replayed without any model. Never touches the host's files; what it reads or writes is the sandbox's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.sandbox.base import Sandbox


@dataclass
class ToolState:
    """What tools remember within one episode: deterministic given the calls so far, so that a replay rebuilds it."""

    box: Sandbox
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ToolResult:
    """What a call gave: the text that the agent is shown, 0 for done or 1 for refused."""

    text: str
    exit_code: int = 0


class Tool(Protocol):
    """One tool."""

    name: str
    help: str
    parameters: Mapping[str, Any]
    """JSON schema of the arguments, an object."""

    def __call__(self, state: ToolState, arguments: Mapping[str, Any]) -> ToolResult:
        """Arguments are checked against `parameters` already. Raises SandboxError when the sandbox is gone."""
        ...
