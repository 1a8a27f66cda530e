"""What a model is to an agent: messages and tools in, one reply out, counted and paid for by us.

Messages and tools are in the chat format of OpenAI, which litellm translates for every provider. Raises EpisodeOver
when a limit ends the episode. Never retried by an agent: retries on rate limits and overload happen below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from harness.errors import UsageError
from harness.schema.calls import ModelCall, Reply
from harness.schema.prices import Price

Message = Mapping[str, Any]
ToolSchema = Mapping[str, Any]
PARAMS = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "stop", "seed", "logit_bias"),
        *("presence_penalty", "frequency_penalty", "verbosity", "reasoning_effort", "thinking"),
        *("tool_choice", "parallel_tool_calls", "response_format"),
    )
)
"""What an agent may set of a request. Anything else could leave the meter: several answers for one reservation, another
length, another address, an answer that nobody gave, a search on the provider's side."""


@dataclass(frozen=True)
class ModelPlan:
    """Which model, and how much it may cost. Costs in USD; None: no limit of that kind beside the task's own.

    `price` is declared by the submitter for a model that prices.toml does not know. `params` go into every request
    (temperature, reasoning_effort, ...). The key is read from the environment by litellm, or from `key_env`.
    """

    name: str
    api_base: str | None = None
    key_env: str | None = None
    price: Price | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    max_output_tokens: int = 4096
    context_tokens: int | None = None
    episode_cost_usd: float | None = None
    run_cost_usd: float | None = None


class Model(Protocol):
    """One model within one episode."""

    name: str

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema] = (),
        *,
        max_output_tokens: int | None = None,
        params: Mapping[str, Any] = MappingProxyType({}),
    ) -> Reply:
        """Ask once; `params` (of PARAMS) come on top of the plan's. Safe to call from several threads.

        Raises EpisodeOver("cost" | "wall_time" | "runtime"), ContextOverflow (nothing was paid), ModelUnavailable.
        """
        ...

    def calls(self) -> Sequence[ModelCall]:
        """Every paid call of the episode so far, in order."""
        ...


def demand_plain(tools: Sequence[ToolSchema], params: Mapping[str, Any]) -> None:
    """Raises UsageError when an agent asks for more than a metered request can have."""
    if strange := sorted(set(params) - PARAMS):
        raise UsageError(f"a request cannot have {', '.join(strange)}; it takes {', '.join(sorted(PARAMS))}")
    if any(not isinstance(tool, Mapping) or tool.get("type") != "function" for tool in tools):
        raise UsageError('a tool of a request is {"type": "function", ...} and executed by the agent, nothing else')
