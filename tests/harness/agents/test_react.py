"""The react agent over litellm's HTTP path against a scripted server: calls, faults, overflow, refusal, its cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.agents.base import Briefing, Observation
from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings, load_settings
from harness.errors import EpisodeOver, SchemaError, UsageError
from harness.llm import meter
from harness.schema.episode import Usage
from harness.schema.task import load_task, tasks_root
from tests.harness.agents.talk import PRICE, talk
from tests.servers.answers import Answer, Call, Cut, Refuse, Say, overloaded, rate_limited, refusal, too_long, tool
from tests.servers.formats import thinking_fault, whole
from tests.servers.models import Asked

CLAUDE = "anthropic/claude-scripted"
BOTH = pytest.mark.parametrize("model", ["openai/scripted", CLAUDE])


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.01)


@BOTH
def test_a_conversation_through_everything_a_provider_does(tmp_path: Path, model: str) -> None:
    script: list[Answer] = [
        tool("bash", command="ls"),
        rate_limited(0.01),
        tool("open", path="baseline.py"),
        overloaded(529),
        Say(calls=(Call("edit", '{"start": 1, "end"', "call_x"),)),
        Cut("before"),
        tool("validate"),
        refusal(),
        tool("submit"),
    ]
    with talk(script, tmp_path, model=model) as on:
        kinds = [on.see("Win.").kind, *(on.see().kind for _ in range(5))]
        assert kinds == ["bash", "tool", "none", "validate", "none", "submit"]
        paid = [call for call in on.meter.paid() if not call.lost]
        assert sum(call.cost_usd or 0 for call in paid) == pytest.approx(on.server.cost_usd(PRICE), abs=1e-12)
        assert sum(call.retries for call in paid) == 2
        told = json.dumps(on.sent)
        assert "Win the game." in told and "[left: 44 steps, 1 h 2 min, $1.5]" in told


def test_signed_thinking_goes_back_to_its_provider(tmp_path: Path) -> None:
    script = [
        Say("Look.", (Call("bash", {"command": "ls"}, "a"),), reasoning="What is there?"),
        Say(calls=(Call("bash", {"command": "pwd"}, "b"),), redacted="c2VhbGVk"),
        Say(calls=(Call("bash", {"command": "id"}, "c"),), reasoning="Nearly.", redacted="bW9yZQ=="),
        Say("no call", reasoning="Am I done?"),
        tool("submit"),
    ]
    model = "anthropic/claude-sonnet-4-20250514"
    with talk(script, tmp_path, model=model, reasoning_effort="low", max_output_tokens=3000) as on:
        actions = [on.see() for _ in range(4)]
        assert [action.kind for action in actions] == ["bash", "bash", "bash", "none"]
        assert actions[0].reasoning == "What is there?"
        on.resumed()
        assert [on.see() for _ in range(4)] == actions and len(on.server.asked) == 4, "the journal has them too"
        assert on.see().kind == "submit"
    assert all(asked.body["thinking"]["type"] == "enabled" for asked in on.server.asked)
    answers = [message["content"] for message in on.sent if message["role"] == "assistant"]
    assert [[block["type"] for block in blocks] for blocks in answers] == [
        ["thinking", "text", "tool_use"], ["redacted_thinking", "tool_use"],
        ["thinking", "redacted_thinking", "tool_use"], ["thinking", "text"],
    ]  # fmt: skip


def test_the_scripted_server_refuses_thinking_that_is_lost_or_forged() -> None:
    said = whole("anthropic", 0, "m", Say(calls=(Call("bash", {}, "a"),), reasoning="Hm."), Usage())["content"]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "x"}]}

    def fault(*blocks: dict[str, object], last: object = result) -> str:
        messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": list(blocks)}, last]
        refused = thinking_fault({"thinking": {"type": "enabled"}, "messages": messages})
        return refused.message if refused else ""

    assert fault(*said) == ""
    assert "Expected `thinking`" in fault(said[1])
    assert "Invalid `signature`" in fault({**said[0], "thinking": "Hmm."}, said[1])
    assert fault(said[1], last={"role": "user", "content": "go on"}) == "", "a new turn of the user needs none"


def reasoner(asked: Asked) -> Answer:
    """A server that wants its reasoning back with the calls that it led to, as DeepSeek's does."""
    answers = [message for message in asked.messages if message["role"] == "assistant"]
    if any(message.get("tool_calls") and not message.get("reasoning_content") for message in answers):
        text = "The `reasoning_content` in the thinking mode must be passed back to the API."
        return Refuse(400, text, "invalid_request_error")
    said = [Say("Look.", (Call("bash", {"command": "ls"}, "a"),), reasoning="Hm."), Say("no call", reasoning="So.")]
    return [*said, tool("submit")][len(answers)]


def test_unsigned_reasoning_goes_back_with_the_calls_it_led_to(tmp_path: Path) -> None:
    with talk(reasoner, tmp_path) as on:
        assert on.see().reasoning == "Hm."
        assert [on.see().kind, on.see().kind] == ["none", "submit"]
    answers = [message for message in on.sent if message["role"] == "assistant"]
    assert [message.get("reasoning_content") for message in answers] == ["Hm.", None]


def test_who_refuses_its_reasoning_back_is_asked_without_it_and_paid_once(tmp_path: Path) -> None:
    def strict(asked: Asked) -> Answer:
        if "reasoning_content" in json.dumps(asked.messages):
            text = "messages.2.assistant.reasoning_content: property is unsupported"
            return Refuse(400, text, "invalid_request_error")
        return Say(calls=(Call("bash", {"command": "ls"}, f"c{asked.number}"),), reasoning="Hm.")

    with talk(strict, tmp_path) as on:
        assert [on.see().kind for _ in range(4)] == ["bash"] * 4
        assert len(on.server.asked) == 5, "it was refused once, and not tried again"
        assert sum(call.cost_usd or 0 for call in on.meter.paid()) == pytest.approx(on.server.cost_usd(PRICE))


def test_every_tool_is_offered_with_its_schema(tmp_path: Path) -> None:
    with talk([tool("submit")], tmp_path) as on:
        on.see()
        offered = [each["function"] for each in on.server.asked[0].body["tools"]]
    names = [each["name"] for each in offered]
    assert names[0] == "bash" and names[-2:] == ["validate", "submit"]
    assert len(offered) == 12 and all(each["parameters"]["type"] == "object" for each in offered)
    with talk([Say("```submit\n```")], tmp_path / "text", protocol="text", tools=("open", "edit")) as on:
        assert on.see().kind == "submit"
        assert "tools" not in on.server.asked[0].body
        system = on.sent[0]["content"]
        assert "\nedit: start (integer)" in system and "\ngoto:" not in system


@BOTH
def test_several_calls_run_in_order_until_one_fails(tmp_path: Path, model: str) -> None:
    three = Say("three at once", calls=tuple(Call("bash", {"command": f"echo {n}"}, f"c{n}") for n in range(3)))
    with talk([three, three, tool("submit")], tmp_path, model=model) as on:
        assert [on.see(str(n)).command for n in range(3)] == ["echo 0", "echo 1", "echo 2"]
        assert len(on.server.asked) == 1 and len(on.meter.calls()) == 1
        assert on.see("last of the first").command == "echo 0"
        assert on.see("no such file", exit_code=1).kind == "submit", "what follows a failure is not executed"
        told = json.dumps(on.sent)
        assert told.count("not executed: an earlier call of the same answer failed") == 2
        assert told.count("no such file") == 1


def test_answers_that_cannot_be_read_end_the_episode_in_the_end(tmp_path: Path) -> None:
    script = [Say("no call"), Say("no call"), tool("bash", command="ls"), *[Say("no call")] * 3]
    with talk(script, tmp_path, malformed=3) as on:
        assert [on.see().kind for _ in range(6)] == ["none", "none", "bash", "none", "none", "none"]
        with pytest.raises(EpisodeOver, match="3 answers in a row") as over:
            on.see()
        assert over.value.status == "format" and len(on.server.asked) == 6, "the last word is not paid for"


def test_a_refusal_is_told_once(tmp_path: Path) -> None:
    with talk([refusal(), tool("bash", command="ls"), refusal(), refusal()], tmp_path) as on:
        first = on.see()
        assert first.kind == "none" and "declined" in first.command
        assert [on.see().kind, on.see().kind] == ["bash", "none"]
        with pytest.raises(EpisodeOver, match="declined twice") as over:
            on.see()
        assert over.value.status == "format"


def grows(asked: Asked) -> Answer:
    """Works on; sums up when it is asked to."""
    if "Sum it up" in str(asked.messages[-1]["content"]):
        return Say("I tried everything up to here; score 0.7.")
    return tool("bash", command=f"echo {asked.number}")


@BOTH
@pytest.mark.parametrize("summary", ["model", "plain"])
def test_an_overflow_is_made_shorter_and_asked_again(tmp_path: Path, model: str, summary: str) -> None:
    with talk(grows, tmp_path, model=model, context_tokens=12_000, summary=summary) as on:
        for number in range(40):
            assert on.see(f"{number} " + "word " * 1000).kind == "bash"
        told = json.dumps(on.sent)
        assert "39 word" in told and "Win the game." in told
        summed = [asked for asked in on.server.asked if "Sum it up" in str(asked.messages[-1]["content"])]
        assert bool(summed) == (summary == "model")
        refused = len(on.server.asked) - len(on.server.bill)
        assert 1 <= refused <= 8, "it learns the limit instead of hitting it at every step"


def test_the_budget_is_kept_without_any_overflow(tmp_path: Path) -> None:
    with talk(grows, tmp_path, prompt_tokens=6000, window=30) as on:
        for number in range(40):
            on.see(f"{number} " + "word " * 500)
        sizes = [billed.usage.input_tokens for billed in on.server.bill]
        assert max(sizes[2:]) < 6600, "the estimate follows the provider's own count"
        cached = sum(billed.usage.cached_tokens for billed in on.server.bill)
        assert cached / sum(sizes) > 0.5, "room is made for several turns at once"


def test_a_task_that_never_fits_ends_with_context(tmp_path: Path) -> None:
    with talk([tool("submit")], tmp_path, context_tokens=100) as on:
        with pytest.raises(EpisodeOver) as over:
            on.see()
        assert over.value.status == "context" and not on.server.bill


def test_an_overflow_in_the_first_turns_cuts_what_was_shown(tmp_path: Path) -> None:
    script = [tool("bash", command="ls"), too_long(), tool("submit")]
    with talk(script, tmp_path, observation_chars=20_000) as on:
        on.see()
        assert on.see("x" * 15_000).kind == "submit"
        assert len(on.sent[-1]["content"]) < 2300


def test_what_is_shown_is_bounded_and_cannot_act(tmp_path: Path) -> None:
    hostile = "\x1b[2J\x1b]0;title\x07" + "\r".join(f"{n}%" for n in range(100)) + "\n\x00\x9b31mred\tx\n" + "A" * 10**6
    with talk([tool("bash", command="ls")], tmp_path, observation_chars=2000) as on:
        on.see("Win.")
        on.see(hostile)
        shown = on.sent[-1]["content"]
        assert shown.startswith("99%\nred\tx\nAAA") and len(shown) < 2300
        assert "\x1b" not in shown and "998010 characters left out" in shown


def test_marks_reach_anthropic_and_nobody_else(tmp_path: Path) -> None:
    for model, wanted in ((CLAUDE, True), ("openai/scripted", False)):
        with talk(lambda asked: tool("bash", command="ls"), tmp_path / model, model=model, window=2, block=2) as on:
            for _ in range(7):
                on.see("x" * 1000)
            body = json.dumps(on.server.asked[-1].body)
            assert body.count("cache_control") == (3 if wanted else 0)


def test_a_prompt_cache_would_hold(tmp_path: Path) -> None:
    with talk(lambda asked: tool("bash", command=f"echo {asked.number}"), tmp_path) as on:
        for number in range(60):
            on.see(f"{number} " + "x" * 2000)
        usage = [billed.usage for billed in on.server.bill[10:]]
    share = sum(one.cached_tokens for one in usage) / sum(one.input_tokens for one in usage)
    assert share > 0.75


def test_it_says_what_is_missing(tmp_path: Path) -> None:
    agent = ReactAgent(ReactSettings(), "openai/scripted", native=True)
    with pytest.raises(UsageError, match="--model"):
        agent.begin(Briefing(load_task(tasks_root() / "battle-of-sexes"), "smoke", 0, "Win."))


def test_a_killed_episode_says_the_same_again_and_pays_nothing(tmp_path: Path) -> None:
    with talk(grows, tmp_path, prompt_tokens=4000) as on:
        seen = [(f"{number} " + "word " * 300, number % 3) for number in range(20)]
        first = [on.see(*each) for each in seen]
        asked = len(on.server.asked)
        on.resumed()
        assert [on.see(*each) for each in seen] == first
        assert len(on.server.asked) == asked
        on.see("and on")
        assert len(on.server.asked) == asked + 1


def test_settings_are_strict(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('protocol = "text"\nwindow = 4\ntools = ["open", "edit"]\nguidance = "Be quick."\n')
    settings = load_settings(file)
    assert (settings.protocol, settings.window, settings.tools) == ("text", 4, ("open", "edit"))
    assert settings.sha256 != ReactSettings().sha256 == load_settings(None).sha256
    for text, said in (("windw = 4", "windw"), ('tools = ["opne"]', "did you mean open"), ("window = 0", "window")):
        file.write_text(text)
        with pytest.raises(SchemaError, match=said):
            load_settings(file)
    with pytest.raises(UsageError, match="nowhere"):
        load_settings(tmp_path / "nowhere")


def test_it_is_briefed_once_an_episode(tmp_path: Path) -> None:
    with talk([tool("bash", command="ls")], tmp_path) as on:
        on.see()
        task = load_task(tasks_root() / "battle-of-sexes")
        on.agent.begin(Briefing(task, "smoke", 1, "Another game.", on.meter))
        on.agent.act(Observation("Another game."))
        assert [message["role"] for message in on.sent] == ["system", "user"] and on.sent[1][
            "content"
        ] == "Another game."


def test_the_guide_shows_the_defaults(tmp_path: Path) -> None:
    guide = (Path(__file__).resolve().parents[3] / "CONTRIBUTING.md").read_text()
    block = guide.split("## Run a language model", 1)[1].split("```toml\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "agent.toml"
    file.write_text(block)
    assert load_settings(file) == ReactSettings()
    assert {line.lstrip("# ").split(" ")[0] for line in block.splitlines()} == set(ReactSettings.model_fields)
