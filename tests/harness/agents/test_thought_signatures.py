"""Gemini's calls carry the signature of a thought, and Gemini 3 refuses them back without it: it comes back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Budget, Observation
from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings
from harness.gateway.door import Door
from harness.gateway.server import Gateway
from harness.llm.base import ModelPlan
from harness.llm.meter import Meter, Models
from harness.schema.prices import Price
from tests.harness.agents.talk import briefing
from tests.harness.gateway.clients import of_anthropic, of_openai
from tests.harness.gateway.conftest import KEY, Set
from tests.servers.google import google

MODEL = "gemini/gemini-3-pro-preview"
PRICE = Price(models=(MODEL,), since="2026-01-01", input_usd=2.0, output_usd=12.0, source="test")
SCHEMA: Any = {"type": "object", "properties": {"command": {"type": "string"}}}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "bash", "parameters": SCHEMA}}


def meter(url: str, folder: Path) -> Meter:
    (folder / "episode").mkdir()
    plan = ModelPlan(MODEL, url, price=PRICE, max_output_tokens=500)
    return Models(plan, folder, "2026-11-21").open("task/seed-0", folder / "episode", 9.0, lambda: 60.0)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "x")


def test_by_react(tmp_path: Path) -> None:
    with google() as (url, asked):
        paid, agent = meter(url, tmp_path), ReactAgent(ReactSettings(protocol="native"), MODEL, native=True)
        agent.begin(briefing(paid))
        actions = [agent.act(Observation("done", 0, Budget(50, 3000.0, 1.5))) for _ in range(3)]
    assert [action.kind for action in actions] == ["bash", "bash", "submit"] and len(asked) == 3
    assert all(len(action.call_id) < 64 for action in actions), "the record keeps the plain ids"
    assert [call.output_tokens for call in paid.paid()] == [17] * 3, "thoughts are output"


@pytest.mark.parametrize("client", ["openai", "anthropic"])
def test_through_the_gateway(tmp_path: Path, client: str) -> None:
    with google() as (url, asked):
        paid = meter(url, tmp_path)
        gateway = Gateway(paid, KEY)
        with Door(tmp_path / "model.sock", gateway) as door:
            here: Any = Set(door, gateway, paid, None, tmp_path / "model.sock")  # type: ignore[arg-type]
            names = by_openai(here) if client == "openai" else by_anthropic(here)
    assert names == ["bash", "bash", "submit"] and len(asked) == 3


def by_openai(here: Set) -> list[str]:
    said: list[Any] = [{"role": "user", "content": "go"}]
    names = []
    for _ in range(3):
        answer = of_openai(here).chat.completions.create(model=MODEL, messages=said, tools=[CHAT_TOOL])
        message = answer.choices[0].message
        (call,) = message.tool_calls or ()
        names.append(call.function.name)  # type: ignore[union-attr]
        said += [message, {"role": "tool", "tool_call_id": call.id, "content": "x"}]
    return names


def by_anthropic(here: Set) -> list[str]:
    said: list[Any] = [{"role": "user", "content": "go"}]
    names, tools = [], [{"name": "bash", "input_schema": SCHEMA}]
    for _ in range(3):
        answer = of_anthropic(here).messages.create(model=MODEL, max_tokens=99, messages=said, tools=tools)  # type: ignore[arg-type]
        (call,) = answer.content
        names.append(call.name)  # type: ignore[union-attr]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "x"}  # type: ignore[union-attr]
        said += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    return names
