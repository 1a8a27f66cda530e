"""ATIF: what a step of each kind becomes, and that Harbor's own models take the document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.agents.scripted import ScriptedAgent
from harness.check.trace import _fault
from harness.runner.trajectory import build_trajectory, system_prompt, who, with_tools
from harness.schema.base import Record
from harness.schema.calls import ModelCall
from harness.schema.episode import Attempt, Episode, Verdict, counted, traced
from harness.schema.steps import Action, StepLine
from harness.schema.trajectory import Trajectory, TrajectoryAgent

TIME = "2026-11-20T10:00:00Z"
MODEL = TrajectoryAgent(name="react", version="0.1.0", model_name="openai/gpt-4o")
ACTIONS = (
    Action(kind="bash", command="make", thought="Build it."),
    Action(kind="tool", tool="open", arguments={"path": "a.py", "line": 3}, call_id="call_x", reasoning="Look first."),
    Action(kind="tool", tool="frobnicate", arguments={"n": 1}),
    Action(kind="none", command="I would rather\nnot", thought="I would rather\nnot"),
    Action(kind="write", path="a.bin", data=b"\x00\xff"),
    Action(kind="validate"),
    Action(kind="submit"),
)


def paid(index: int, cost: float | None = 0.25) -> ModelCall:
    return ModelCall(
        index=index,
        model="openai/gpt-4o",
        request_sha256="0" * 64,
        started=TIME,
        duration_s=1.5,
        input_tokens=100,
        cached_tokens=60,
        output_tokens=10,
        reasoning_tokens=4,
        cost_usd=cost,
        retries=1,
    )


def document(tmp_path: Path, calls: dict[int, tuple[ModelCall, ...]] | None = None) -> tuple[Episode, Trajectory]:
    lines = [
        StepLine(
            step=n, time=TIME, action=action, observation=f"saw {n}", duration_s=0.5, calls=(calls or {}).get(n, ())
        )
        for n, action in enumerate(ACTIONS, start=1)
    ]
    steps = tmp_path / "steps.jsonl"
    steps.write_text("".join(line.model_dump_json(exclude_defaults=True) + "\n" for line in lines))
    classes = [action.action_class for action in ACTIONS]
    verdict = Verdict(duration_s=1, grader_version="1.0.0", metrics={"m": 2.0}, n=3, split="validation")
    episode = Episode(
        task="tiny-play",
        task_version="1.0.0",
        profile="smoke",
        seed=0,
        exit_status="success",
        steps=len(ACTIONS),
        actions=counted(classes),
        trace=traced(classes),
        attempts=(
            Attempt(index=0, step=6, kind="validate", validation=verdict),
            Attempt(index=1, step=7, kind="submit", refused="no file"),
        ),
    )
    return episode, build_trajectory(episode, MODEL, "Do it.", steps)


def test_every_kind_of_action_has_its_call_and_the_trace_agrees(tmp_path: Path) -> None:
    episode, made = document(tmp_path)
    calls = [step.tool_calls[0] if step.tool_calls else None for step in made.steps[1:]]
    assert [call and call.function_name for call in calls] == [
        "bash", "open", "tool", None, "write", "validate", "submit",
    ]  # fmt: skip
    assert calls[1] is not None and calls[1].arguments == {"path": "a.py", "line": 3}
    assert calls[1].tool_call_id == "call_x"
    assert calls[2] is not None and calls[2].arguments == {"tool": "frobnicate", "arguments": {"n": 1}}
    unread = made.steps[4]
    assert unread.observation is not None and unread.observation.results[0].source_call_id is None
    assert (unread.extra or {})["gymboard"]["unread"] == "I would rather\nnot"
    assert episode.trace == "BV--EAU"
    assert _fault(episode, made.canonical()) is None


def test_the_system_prompt_stands_before_the_task(tmp_path: Path) -> None:
    episode, plain = document(tmp_path)
    made = build_trajectory(episode, MODEL, "Do it.", tmp_path / "steps.jsonl", "You are a researcher.")
    head = [(step.source, step.message) for step in made.steps[:2]]
    assert head == [("system", "You are a researcher."), ("user", "Do it.")]
    assert [step.step_id for step in made.steps] == list(range(1, len(plain.steps) + 2))
    assert _fault(episode, made.canonical()) is None
    agent = ScriptedAgent("mine", [])
    assert system_prompt(agent) == ""
    agent.system_prompt = "half \ud800"  # type: ignore[attr-defined]
    assert system_prompt(agent) == "half ?"


def test_the_metrics_of_a_step_are_those_of_its_calls(tmp_path: Path) -> None:
    _, made = document(tmp_path, {1: (paid(0), paid(1)), 2: (paid(2, cost=None),)})
    first, second, third = made.steps[1:4]
    assert first.metrics is not None and first.llm_call_count == 2
    assert (first.metrics.prompt_tokens, first.metrics.cached_tokens, first.metrics.cost_usd) == (200, 120, 0.5)
    assert (first.metrics.extra or {})["calls"] == [0, 1] and (first.metrics.extra or {})["retries"] == 2
    assert second.metrics is not None and second.metrics.cost_usd is None, "a call without a price is not free"
    assert second.reasoning_content == "Look first."
    assert third.metrics is None and third.llm_call_count is None, "the agent may have a client of its own"


def test_an_agent_without_a_model_called_none(tmp_path: Path) -> None:
    episode, _ = document(tmp_path)
    agent = who(ScriptedAgent("baseline", []))
    made = build_trajectory(episode, agent, "Do it.", tmp_path / "steps.jsonl")
    assert [step.llm_call_count for step in made.steps[1:]] == [0, None, 0, 0, 0, 0, 0]


class Window(Record):
    """Settings of an agent."""

    window: int


def test_settings_and_tools_of_an_agent_are_in_the_document() -> None:
    agent = ScriptedAgent("react", [])
    agent.settings = Window(window=5)  # type: ignore[attr-defined]
    agent.tool_schemas = ({"type": "function", "function": {"name": "open"}},)  # type: ignore[attr-defined]
    said = with_tools(who(agent, "openai/gpt-4o"), agent)
    assert said.extra == {"settings": {"window": 5}} and said.model_name == "openai/gpt-4o"
    assert said.tool_definitions == ({"type": "function", "function": {"name": "open"}},)


def test_harbors_own_models_take_the_document(tmp_path: Path) -> None:
    """The package harbor wants Python 3.12; its model files alone, from an unpacked wheel on PYTHONPATH, do as well."""
    models = pytest.importorskip("harbor.models.trajectories")
    episode, _ = document(tmp_path, {1: (paid(0),), 2: (paid(1),)})
    made = build_trajectory(episode, MODEL, "Do it.", tmp_path / "steps.jsonl", "You are a researcher.")
    tree = json.loads(made.canonical())
    read = models.Trajectory.model_validate(tree)
    assert read.model_dump(mode="json", exclude_none=True) == tree
