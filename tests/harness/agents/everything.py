"""A script in which a model meets everything that a provider does, on any task: it ends with the starter handed in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings
from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.runner.place import Place
from harness.runner.run import run_episode
from harness.schema.episode import Episode
from harness.schema.prices import Price
from tests.servers.answers import Answer, Call, Cut, Say, overloaded, rate_limited, refusal, too_long, tool
from tests.servers.models import Asked, ModelServer, model_server

PRICE = Price(
    models=("openai/scripted",), since="2026-01-01", input_usd=0.3, cached_usd=0.03, output_usd=1.5, source="test"
)
LONG = "import sys\n" + "".join(f"x{n} = {n}\n" for n in range(300))


def answers(starter_command: str) -> list[Answer]:
    """One for each request, in order; the connection is cut before an answer and within one."""
    return [
        Say("Look around.", calls=(Call("bash", {"command": "ls -la; id -u"}, "a"), Call("validate", {}, "b"))),
        rate_limited(0.2),
        Say(calls=(Call("open", {"path": "baseline.py"}, "c"), Call("search_dir", {"term": "def "}, "d"))),
        overloaded(529),
        Say(calls=(Call("edit", '{"start": 1, "end": 1, "text"', "e"),)),
        tool("create", path="scratch.py", text=LONG),
        tool("edit", path="scratch.py", start=1, end=1, text="import ("),
        Cut("before"),
        Cut("middle"),
        tool("edit", path="scratch.py", start=1, end=1, text="import os"),
        tool("bash", command="cat scratch.py; printf '\\033[2J\\000\\377'"),
        too_long(),
        tool("bash", command="rm scratch.py; head -c 100000000 /dev/zero | tr '\\0' x"),
        Say("I would rather talk about it."),
        tool("bash", command=starter_command),
        refusal(),
        tool("validate"),
        tool("submit"),
    ]


def steps(starter_command: str) -> str:
    """Upstream's letters of what `answers` leads to. The second call is refused (nothing is there to be validated yet);
    running the starter is Python's class where the command is."""
    return f"BAVS-EEEBB-{'P' if starter_command.startswith('python') else 'B'}-AU"


@dataclass
class Player:
    """The script as a function, so that a request for a summary does not use up an answer."""

    left: list[Answer] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if "Sum it up" in str(asked.messages[-1]["content"]):
            return Say("Looked around, wrote a scratch file.")
        return self.left.pop(0)


@dataclass(frozen=True)
class Played:
    """How it went."""

    episode: Episode
    server: ModelServer
    recorded_usd: float
    lost_usd: float


def play(place: Place, folder: Path) -> Played:
    """One episode of react on `place` into folder/<task>/seed-0."""
    with model_server(Player(answers(place.task.starter_command)), cache=True) as server:
        plan = ModelPlan("openai/scripted", server.openai, price=PRICE, max_output_tokens=1000)
        models = Models(plan, folder, "2026-11-21")
        agent = ReactAgent(ReactSettings(), plan.name, native=True)
        episode = run_episode(place, agent, 0, folder / place.task.id / "seed-0", models=models)
        meter = models.open(f"{place.task.id}/seed-0", folder / place.task.id / "seed-0", 4.0, lambda: 1.0)
        lost = sum(call.cost_usd or 0.0 for call in meter.paid() if call.lost)
        meter.close()
    return Played(episode, server, episode.usage.reported_cost_usd or 0.0, lost)
