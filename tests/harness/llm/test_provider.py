"""One request through litellm against real sockets: what came, what it cost, and what each failure means."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ContextOverflow, ModelUnavailable, RequestRefused, UsageError
from harness.llm.ability import has_tool_calls, table
from harness.llm.base import ModelPlan
from harness.llm.keys import key_variable, providers
from harness.llm.provider import Answer, Busy, Lost, Request, Unreached, ask, check, library
from tests.servers.answers import (
    Answer as Scripted,
)
from tests.servers.answers import (
    Call,
    Cut,
    Protocol,
    Refuse,
    Say,
    out_of_quota,
    overloaded,
    rate_limited,
    refusal,
    too_long,
    wrong_key,
)
from tests.servers.models import ModelServer, model_server

ROOT = Path(__file__).resolve().parents[3]
TOOLS = [{"type": "function", "function": {"name": "bash", "parameters": {"type": "object", "properties": {}}}}]
MODELS: dict[Protocol, str] = {
    "openai": "openai/some-model",
    "anthropic": "anthropic/claude-3-5-sonnet-20241022",
    "responses": "openai/responses/some-model",
}
EVERY = pytest.mark.parametrize("protocol", list(MODELS))


def plan_for(server: ModelServer, protocol: Protocol, **more: Any) -> ModelPlan:
    return ModelPlan(MODELS[protocol], server.anthropic if protocol == "anthropic" else server.openai, **more)


def once(protocol: Protocol, answer: Scripted, timeout_s: float = 20) -> tuple[Answer, ModelServer]:
    with model_server([answer]) as server:
        plan = plan_for(server, protocol)
        request = Request(plan.name, [{"role": "user", "content": "hi"}], TOOLS, 50)
        try:
            return ask(plan, request, timeout_s), server
        finally:
            assert len(server.asked) == 1, "nothing below us tries again"


@EVERY
def test_counts_are_the_providers_own(protocol: Protocol) -> None:
    call = Call("bash", {"command": "ls"}, "call_7")
    written, reasoned = (5, 0) if protocol == "anthropic" else (0, 2)  # each as far as the format can say it
    say = Say("words", (call,), "thinking", cached_tokens=4, cache_write_tokens=written, reasoning_tokens=reasoned)
    answer, server = once(protocol, say)
    assert answer.usage == server.bill[0].usage
    assert (answer.reply.text, answer.reply.reasoning, answer.reply.finish) == ("words", "thinking", "tool_calls")
    own = "fc_0_0" if protocol == "responses" else "call_7"  # litellm takes the item's name for the call's, both ways
    assert [(call.id, call.name) for call in answer.reply.calls] == [(own, "bash")]
    assert server.asked[0].body["max_output_tokens" if protocol == "responses" else "max_tokens"] == 50


def test_a_malformed_call_arrives_as_it_was_said() -> None:
    answer, _ = once("openai", Say(calls=(Call("bash", '{"command": "ls'),)))
    assert answer.reply.calls[0].arguments == '{"command": "ls'


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])  # litellm leaves nothing of a refusal by Responses
def test_a_refusal_is_an_answer(protocol: Protocol) -> None:
    answer, _ = once(protocol, refusal())
    assert (answer.reply.finish, answer.counted) == ("content_filter", True)


FAILURES: list[tuple[Scripted, type[Exception]]] = [
    (rate_limited(), Busy),
    (overloaded(529), Busy),
    (overloaded(503), Busy),
    (out_of_quota(), ModelUnavailable),
    (wrong_key(), ModelUnavailable),
    (Refuse(404, "The model `x` does not exist", "invalid_request_error", "model_not_found"), ModelUnavailable),
    (Refuse(400, "tools[0].name is too long", "invalid_request_error"), RequestRefused),
    (Refuse(500, "The server had an error", "server_error"), Lost),
    (Refuse(502, "Bad gateway", "server_error"), Lost),
    (Refuse(504, "Gateway timeout", "server_error"), Lost),
    (Cut("before"), Lost),
    (Cut("middle"), Lost),
    (Say("late", delay_s=3.0), Lost),
]


@EVERY
@pytest.mark.parametrize(("answer", "expected"), FAILURES)
def test_failures_are_told_apart(protocol: Protocol, answer: Scripted, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised:
        once(protocol, answer, timeout_s=1.0)
    assert type(raised.value) is expected


@EVERY
def test_a_request_beyond_the_window_is_told_apart(protocol: Protocol) -> None:
    with pytest.raises(ContextOverflow):
        once(protocol, too_long(protocol))


@EVERY
def test_retry_after_is_read(protocol: Protocol) -> None:
    with pytest.raises(Busy) as raised:
        once(protocol, rate_limited(7.5))
    assert raised.value.retry_after_s == 7.5


@EVERY
def test_no_server_is_not_a_lost_call(protocol: Protocol) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # nobody listens
        plan = ModelPlan(MODELS[protocol], f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(Unreached):
            ask(plan, Request(plan.name, [{"role": "user", "content": "hi"}], (), 5), 5.0)


def test_half_a_surrogate_can_be_written() -> None:
    answer, _ = once("openai", Say("\ud83d broken", (Call("bash", {"command": "\udc00"}),)))
    answer.reply.canonical()
    assert "broken" in answer.reply.text


@pytest.mark.parametrize("name", ["nonsense", "zzz/model"])
def test_unknown_model_is_a_wrong_call(name: str) -> None:
    with pytest.raises(UsageError, match="provider/model"):
        check(ModelPlan(name))


def test_missing_key_is_a_wrong_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        check(ModelPlan("openai/gpt-4o"))
    with pytest.raises(UsageError, match="NO_SUCH_KEY"):
        check(ModelPlan("openai/gpt-4o", key_env="NO_SUCH_KEY"))
    for empty in ("", "  "):
        monkeypatch.setenv("OPENAI_API_KEY", empty)
        monkeypatch.setenv("MY_KEY", empty)
        with pytest.raises(UsageError, match="OPENAI_API_KEY"):
            check(ModelPlan("openai/gpt-4o"))
        with pytest.raises(UsageError, match="MY_KEY"):
            check(ModelPlan("openai/gpt-4o", key_env="MY_KEY"))
        assert os.environ["OPENAI_API_KEY"] == empty, "the environment stays what it is"
    check(ModelPlan("openai/gpt-4o", api_base="http://127.0.0.1:1/v1"))


def test_what_is_known_without_litellm_is_what_litellm_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, and which models take tools: of every model in its table."""
    litellm, asked = library(), 0
    for name in providers():
        monkeypatch.delenv(f"{name.upper()}_API_KEY", raising=False)
        model = f"{name}/no-such-model"
        assert litellm.get_llm_provider(model)[1] == name
        assert litellm.validate_environment(model)["missing_keys"] == [key_variable(model)]
    for model, row in table().items():
        if (provider := row.get("litellm_provider")) in providers():
            whole = model if model.startswith(f"{provider}/") else f"{provider}/{model}"
            assert has_tool_calls(whole) == bool(litellm.supports_function_calling(model=whole)), whole
            asked += 1
    assert asked > 300


def test_a_run_is_refused_or_planned_without_importing_litellm(tmp_path: Path) -> None:
    """Its import takes seconds, and is for the process that asks the model."""
    script = (
        "import sys; from pathlib import Path; from harness.executors.words import RunWords\n"
        "from harness.executors.model_words import ModelWords; from harness.errors import UsageError\n"
        "words = RunWords(run='a', folder=Path(sys.argv[1]), tasks=('mnli',), seeds=(0,), profile='smoke',"
        " agent='react', model=ModelWords(name='openai/gpt-4o'))\n"
        "plan = words.plan() if sys.argv[2] else None\n"
        "agent = plan and plan.agent_for(None, 0)\n"
        "try:\n    words.plan()\nexcept UsageError as error:\n    print(error)\n"
        "print(agent and agent.version, 'litellm' in sys.modules)\n"
    )
    for key, said in (("", "OPENAI_API_KEY"), ("sk-x", "(tool calls) False")):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": key}
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), key], env=env, capture_output=True, text=True, check=True
        )
        assert said in done.stdout and ("None False" in done.stdout) == (not key), done.stdout


def test_the_named_key_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-of-mine")
    with model_server([Say("ok")]) as server:
        plan = plan_for(server, "openai", key_env="MY_KEY")
        ask(plan, Request(plan.name, [{"role": "user", "content": "hi"}], (), 5), 5.0)
        assert server.asked[0].headers["Authorization"] == "Bearer sk-of-mine"


@EVERY
def test_what_is_sent_is_what_was_asked(protocol: Protocol) -> None:
    """Whichever way litellm takes: every message and every tool arrives whole, and nothing else is asked for."""
    call = {"id": "call_1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "grüße \u2028"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "a\nb"},
    ]
    with model_server([Say("ok")]) as server:
        plan = plan_for(server, protocol)
        ask(plan, Request(plan.name, messages, TOOLS, 50, {"temperature": 0.5}), 5.0)
        body = server.asked[0].body
    told = json.dumps(body, ensure_ascii=False)
    assert all(json.dumps(text, ensure_ascii=False)[1:-1] in told for text in ("be brief", "grüße \u2028", "a\nb"))
    if protocol == "openai":
        assert [{**message, "content": message.get("content")} for message in body["messages"]] == messages
        assert not body.pop("stream")
        assert set(body) == {"model", "messages", "tools", "max_tokens", "temperature"}
        assert body["tools"] == TOOLS


def test_an_organization_is_told_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    with model_server([Say("ok")]) as server:
        ours = plan_for(server, "openai")
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai)
        for plan in (ours, ModelPlan(ours.name)):
            ask(plan, Request(plan.name, [{"role": "user", "content": "hi"}], (), 5), 5.0)
        assert [asked.headers.get("OpenAI-Organization") for asked in server.asked] == [None, "org-1"]


def test_a_record_for_callbacks_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[object] = []
    monkeypatch.setattr(library(), "success_callback", [lambda *words: heard.append(words)])
    once("openai", Say("ok"))
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name] and not heard
