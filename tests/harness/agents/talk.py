"""A react agent that talks to the scripted server through litellm, with observations given by hand: no sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.agents.base import Briefing, Budget, Observation
from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings
from harness.llm.base import ModelPlan
from harness.llm.meter import Meter, Models
from harness.schema.prices import Price
from harness.schema.steps import Action
from harness.schema.task import load_task, tasks_root
from tests.servers.models import ModelServer, Script, model_server

PRICE = Price(
    models=("openai/scripted", "anthropic/claude-scripted"),
    since="2026-01-01",
    input_usd=3.0,
    cached_usd=0.3,
    output_usd=15.0,
    source="test",
)


@dataclass
class Talk:
    """One episode's conversation. Each `see` gives the agent an observation and takes its next action."""

    agent: ReactAgent
    server: ModelServer
    meter: Meter
    open_meter: Callable[[], Meter]
    steps: int = 50

    def see(self, text: str = "done", exit_code: int | None = 0) -> Action:
        self.steps -= 1
        return self.agent.act(Observation(text, exit_code, Budget(self.steps, 3725.0, 1.5)))

    def resumed(self) -> None:
        """As after a kill: a new agent and a new meter, on the journal that is there."""
        self.steps, self.meter = 50, self.open_meter()
        self.agent = ReactAgent(self.agent.settings, self.meter.name, native=self.agent.native)
        self.agent.begin(briefing(self.meter))

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Messages of the last request."""
        return self.server.asked[-1].messages


@contextmanager
def talk(
    script: Script, folder: Path, *, model: str = "openai/scripted", context_tokens: int | None = None, **settings: Any
) -> Iterator[Talk]:
    given = {"protocol": "native", **settings}
    with model_server(script, context_tokens=context_tokens, cache=True) as server:
        base = server.anthropic if model.startswith("anthropic") else server.openai
        plan = ModelPlan(model, base, price=PRICE, max_output_tokens=500)
        (folder / "task" / "seed-0").mkdir(parents=True, exist_ok=True)

        def open_meter() -> Meter:
            models = Models(plan, folder, "2026-11-21")
            return models.open("task/seed-0", folder / "task" / "seed-0", 9.0, lambda: 600.0)

        meter, agent = open_meter(), ReactAgent(ReactSettings(**given), model, native=given["protocol"] == "native")
        agent.begin(briefing(meter))
        yield Talk(agent, server, meter, open_meter)


def briefing(meter: Meter) -> Briefing:
    return Briefing(load_task(tasks_root() / "battle-of-sexes"), "smoke", 0, "Win the game.", meter)
