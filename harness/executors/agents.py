"""`--agent NAME`: the words of the call -> what makes the agent of each episode.

Takes a name and its options, gives an AgentFor. One function an agent, so that none is imported before it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from harness.agents.base import Agent
from harness.errors import UsageError
from harness.runner.place import Place
from harness.runner.run import AgentFor
from harness.tools.base import Aid


@dataclass(frozen=True)
class AgentOptions:
    """Options of `gymboard run` that are for an agent. `source`: the run whose steps are replayed. `command` and
    `program`: a finished program's line and folder, `agent_name`: its name on the board. `model`: the name of the run's
    model. `agent_file`: an agent's settings. `aids`: what the run gives beyond the sandbox.
    """

    source: Path | None = None
    command: str | None = None
    program: Path | None = None
    model: str | None = None
    agent_file: Path | None = None
    aids: frozenset[Aid] = frozenset()
    agent_name: str | None = None


def agent_maker(name: str, options: AgentOptions) -> AgentFor:
    """What makes the agent `name`. Raises UsageError on an unknown name and on options of another agent."""
    own = ":" in name
    if not own and name not in _AGENTS:
        near = get_close_matches(name, _AGENTS, n=1)
        choice = f"choose from {', '.join(sorted(_AGENTS))}, or name a class of your own, package.module:Class"
        hint = f"did you mean {near[0]}?" if near else choice
        raise UsageError(f"there is no agent {name!r}; {hint}")
    if (name == "replay") != (options.source is not None):
        raise UsageError("--agent replay needs --from RUN, and --from is for replay alone")
    if (name == "command") != (options.command is not None):
        raise UsageError('--agent command needs --cmd "LINE", and --cmd is for command alone')
    if name != "command" and (options.program or options.agent_name is not None):
        raise UsageError("--program and --agent-name are for --agent command; every other agent has a name of its own")
    if options.agent_file and not (own or name == "react"):
        raise UsageError("--agent-file is for react and for a class of your own (package.module:Class)")
    return _class(name, options) if own else _AGENTS[name](options)


def _baseline(options: AgentOptions) -> AgentFor:
    from harness.agents.baseline import baseline_agent

    return lambda place, seed: baseline_agent(place.task)


def _nop(options: AgentOptions) -> AgentFor:
    from harness.agents.nop import nop_agent

    return lambda place, seed: nop_agent()


def _oracle(options: AgentOptions) -> AgentFor:
    from harness.agents.oracle import oracle_agent, oracle_artifact

    return lambda place, seed: oracle_agent(oracle_artifact(place.task, place.folder, place.grader_data))


def _react(options: AgentOptions) -> AgentFor:
    from harness.agents.react.agent import ReactAgent
    from harness.agents.react.settings import load_settings
    from harness.llm.ability import has_tool_calls
    from harness.tools.registry import given

    settings, model = load_settings(options.agent_file), options.model
    if model is None:
        raise UsageError("--agent react needs --model PROVIDER/NAME, for instance --model openai/gpt-5")
    if missing := sorted(set(settings.tools or ()) - set(given(options.aids))):
        raise UsageError(f"the agent file names {missing[0]}, which this run does not have: --memory or --literature")
    native = settings.protocol == "native" or (settings.protocol == "auto" and has_tool_calls(model))
    return lambda place, seed: ReactAgent(settings, model, native=native)


def _replay(options: AgentOptions) -> AgentFor:
    from harness.agents.replay import replay_agent

    source = options.source
    assert source is not None

    def make(place: Place, seed: int) -> Agent:
        return replay_agent(source / place.task.id / f"seed-{seed}" / "steps.jsonl")

    return make


def _class(name: str, options: AgentOptions) -> AgentFor:
    from harness.agents.custom import class_agent

    make = class_agent(name, options.agent_file)
    return lambda place, seed: make()


def _human(options: AgentOptions) -> AgentFor:
    from harness.agents.human import HumanAgent

    return lambda place, seed: HumanAgent()


def _command(options: AgentOptions) -> AgentFor:
    from harness.agents.command import command_agent

    assert options.command is not None
    agent = command_agent(options.command, options.program, options.model, _own_name(options.agent_name))
    return lambda place, seed: agent


def _own_name(name: str | None) -> str | None:
    """A name that no agent of ours has. Raises UsageError."""
    from pydantic import TypeAdapter, ValidationError

    from harness.schema.bundle import AgentName

    try:
        if name is None or TypeAdapter(AgentName).validate_python(name).lower() not in _AGENTS:
            return name
    except ValidationError:
        raise UsageError(f"--agent-name {name!r:.80} must be one line of at most 100 printable characters") from None
    raise UsageError(f"--agent-name {name}: that is an agent of Gymboard's own; choose another name")


def _tuner(options: AgentOptions) -> AgentFor:
    from harness.agents.tuner import TunerAgent

    return lambda place, seed: TunerAgent()


_AGENTS: dict[str, Callable[[AgentOptions], AgentFor]] = {
    "baseline": _baseline,
    "command": _command,
    "human": _human,
    "nop": _nop,
    "oracle": _oracle,
    "react": _react,
    "replay": _replay,
    "tuner": _tuner,
}
