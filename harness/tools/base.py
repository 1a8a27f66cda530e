"""What a tool is: a record for its arguments, a help text for the model, and one function on the sandbox.

Takes arguments and the episode's ToolState, gives text and an exit code. The runner executes tools, so a recorded
tool call can be replayed without any model. Never touches the host's files; what it reads or writes is the sandbox's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.literature.library import Library
from harness.memory.notes import Notes
from harness.sandbox.base import Sandbox

MAX_FAULTS = 5
Aid = Literal["memory", "literature"]
"""What a run may give its agent beyond the sandbox; off unless the run declares it."""


class Arguments(BaseModel):
    """Base of every tool's arguments: closed, but "12" is taken for 12, as models write it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class View:
    """The lines of a file that the agent saw last, counted from 1, both ends included; `last` 0: an empty file."""

    path: str
    first: int
    last: int


@dataclass
class ToolState:
    """What tools remember within one episode: deterministic given the calls so far, so that a replay rebuilds it."""

    box: Sandbox
    view: View | None = None
    memory: Notes | None = None
    library: Library | None = None


@dataclass(frozen=True)
class ToolResult:
    """What a call gave: the text that the agent is shown, 0 for done or 1 for refused."""

    text: str
    exit_code: int = 0


def refused(text: str) -> ToolResult:
    """A result that says why nothing was done."""
    return ToolResult(text, 1)


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Form(Generic[A]):
    """What a model is told of something that it can call: its name, its help, and the record of its arguments."""

    name: str
    help: str
    arguments: type[A]

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON schema of the arguments, an object."""
        schema = self.arguments.model_json_schema()
        properties = {
            name: {key: value for key, value in each.items() if key != "title"}
            for name, each in schema.get("properties", {}).items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": schema.get("required", []),
            "additionalProperties": False,
        }

    def faults(self, arguments: Mapping[str, Any]) -> str | None:
        """What is wrong with these arguments, in words that a model can act on; None when nothing is."""
        try:
            self.arguments.model_validate(arguments)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            shown = [f"{'.'.join(map(str, fault['loc']))[:60] or 'arguments'}: {fault['msg']}" for fault in found]
            more = f" (and {len(shown) - MAX_FAULTS} more)" if len(shown) > MAX_FAULTS else ""
            return f"{self.name}: {'; '.join(shown[:MAX_FAULTS])[:1000]}{more}. It takes {self.signature}"
        return None

    @property
    def signature(self) -> str:
        """The arguments in a line: `line (integer), path (string, optional)`."""
        required = self.parameters["required"]
        words = [
            f"{name} ({each.get('type', 'value')}{'' if name in required else ', optional'})"
            for name, each in self.parameters["properties"].items()
        ]
        return ", ".join(words) or "no arguments"


@dataclass(frozen=True)
class Tool(Form[A]):
    """One tool. `run` gets arguments that are checked; it raises SandboxError, and EpisodeOver or ModelUnavailable when
    it pays. `aid`: what the run must have been given for it. `again`: whether an episode that goes on after a kill
    must call it again to be where it was; else the recorded answer is enough.
    """

    run: Callable[[ToolState, A], ToolResult]
    aid: Aid | None = None
    again: bool = True

    def __call__(self, state: ToolState, arguments: Mapping[str, Any]) -> ToolResult:
        if wrong := self.faults(arguments):
            return refused(wrong)
        return self.run(state, self.arguments.model_validate(arguments))
