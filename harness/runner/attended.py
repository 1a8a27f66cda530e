"""An agent whose calls end in time and whose answers are checked: whatever its code does, the episode goes on.

Takes any Agent, gives the same three calls with a deadline each. The agent runs in one thread of its own (its model is
this process's, metered); one that does not answer in time is left behind, and the meter's own clock keeps it from
paying for more. Not stopped: code that ends the process or never lets go of the interpreter.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from harness.agents.base import Agent, Briefing, Observation
from harness.errors import Abandoned, EpisodeOver, ModelUnavailable, OverStatus, SchemaError
from harness.schema.episode import Usage
from harness.schema.steps import Action

Answer = TypeVar("Answer")
USAGE_S = 30.0


class AgentFault(Exception):
    """What the agent did wrong, in words for the episode's record."""


class Attended:
    """One agent within one episode."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="gymboard-agent", daemon=True).start()

    def begin(self, briefing: Briefing, limit_s: float) -> None:
        """Raises AgentFault, EpisodeOver, and whatever of ours the model raised."""
        self._call("begin", limit_s, briefing)

    def act(self, observation: Observation, limit_s: float) -> Action:
        """Raises as begin does."""
        return checked(self._call("act", limit_s, observation))

    def usage(self) -> Usage:
        """Raises AgentFault when it cannot be had."""
        try:
            usage = self._call("usage", USAGE_S)
        except EpisodeOver as error:
            raise AgentFault(f"the agent's usage() does not answer: {error}") from error
        if not isinstance(usage, Usage):
            raise AgentFault(f"the agent's usage() returned {type(usage).__name__}, not a Usage")
        try:
            return Usage.model_validate({name: getattr(usage, name) for name in Usage.model_fields})
        except Exception as error:  # made without validation, or a class that only looks like one
            raise AgentFault(f"the agent's usage() returned what is no Usage: {_words(error)}") from error

    def close(self) -> None:
        """No more calls. A thread that hangs in one is left behind."""
        self._work.put(None)

    def _call(self, name: str, limit_s: float, *words: Any) -> Any:
        answer: Future[Any] = Future()
        self._work.put((answer, lambda: getattr(self._agent, name)(*words)))
        try:
            error = answer.exception(timeout=max(0.0, limit_s))
        except TimeoutError:
            text = f"the agent's {name}() had not answered when the episode's time was over"
            raise EpisodeOver("wall_time", text) from None
        if error is None:
            return answer.result()
        if isinstance(error, EpisodeOver) and error.status not in get_args(OverStatus):
            raise AgentFault(f"the agent ended the episode as {str(error.status)[:60]!r}, which is no way to end one")
        if isinstance(error, EpisodeOver | Abandoned | ModelUnavailable | KeyboardInterrupt):
            raise error
        raise AgentFault(f"the agent raised {type(error).__name__}: {_words(error)}") from error

    def _serve(self) -> None:
        while (task := self._work.get()) is not None:
            answer, call = task
            try:
                answer.set_result(call())
            except BaseException as error:  # sys.exit() in an agent ends the agent, not the harness
                answer.set_exception(error)


def checked(answer: object) -> Action:
    """The answer as it will stand in steps.jsonl. Raises AgentFault."""
    if not isinstance(answer, Action):
        raise AgentFault(f"the agent returned {type(answer).__name__}, not an Action")
    try:
        return Action.from_json(answer.model_dump_json(), "action")
    except (ValidationError, SchemaError, ValueError) as error:
        raise AgentFault(f"the agent returned an Action that cannot be recorded: {_words(error)}") from error


def _words(error: BaseException) -> str:
    try:
        return str(error)[:1500]
    except Exception:
        return "(its text cannot be had)"
