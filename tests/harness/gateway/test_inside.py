"""Programs in the sandbox, without network, that use their model: costed episodes, a valid bundle, limits that hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agents.command import command_agent
from harness.check import check
from harness.llm import meter
from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.pack import pack
from harness.runner.place import Place
from harness.runner.run import RunPlan, place_of, run_episode, run_episodes
from harness.sandbox import open_engine
from harness.sandbox.base import Engine
from harness.schema.bundle import Bundle, Entry
from harness.schema.episode import Episode
from harness.schema.steps import StepLine, read_steps
from harness.schema.task import tasks_root
from tests.harness.gateway.conftest import MODEL, PRICE
from tests.harness.gateway.packages import install
from tests.servers.answers import Call, Say
from tests.servers.models import ModelServer, model_server

CLIENTS = """
import os, shutil, socket, subprocess
import anthropic, openai

model = os.environ["GYMBOARD_MODEL"]
try:
    socket.create_connection(("192.0.2.1", 80), timeout=3); print("NETWORK")
except OSError as error:
    print("no network")
ask = [{"role": "user", "content": open(os.environ["GYMBOARD_INSTRUCTION"]).read()}]
tool = {"type": "function", "function": {"name": "write", "parameters": {"type": "object", "properties": {}}}}
first = openai.OpenAI().chat.completions.create(model=model, messages=ask, tools=[tool])
call = first.choices[0].message.tool_calls[0]
print(call.function.name, call.function.arguments)
streamed = openai.OpenAI().chat.completions.create(model=model, messages=ask, stream=True)
print("".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices))
with anthropic.Anthropic().messages.stream(model=model, max_tokens=200, messages=ask) as stream:
    print("".join(stream.text_stream))
print(anthropic.Anthropic().messages.create(model=model, max_tokens=200, messages=ask).content[0].text)
print(openai.OpenAI().responses.create(model=model, input=ask).output_text)
with openai.OpenAI().responses.stream(model=model, input=ask) as stream:
    print(stream.get_final_response().output_text)
shutil.copy("baseline.py", "strategy.py")
print(subprocess.run(["validate"], capture_output=True, text=True).stdout)
subprocess.run(["submit"])
"""
SAYS = [
    Say(calls=(Call("write", {"path": "strategy.py"}, "call_1"),)),
    *map(Say, ("second", "third", "fourth", "fifth", "sixth")),
]


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with open_engine(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def blotto(engine: Engine) -> Place:
    return place_of(tasks_root() / "colonel-blotto", "smoke", engine, None)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("program")
    folder.chmod(0o755)
    install(["openai", "anthropic"], folder / "site")
    (folder / "agent.py").write_text(CLIENTS)
    return folder


@pytest.fixture(autouse=True)
def no_calls_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.01)


def models(server: ModelServer, folder: Path, **more: float) -> Models:
    return Models(ModelPlan(MODEL, server.openai, price=PRICE, max_output_tokens=100, **more), folder, "2026-11-21")  # type: ignore[arg-type]


def play(place: Place, folder: Path, server: ModelServer, code: str, **more: float) -> tuple[Episode, list[StepLine]]:
    agent = command_agent(f"python3 -c {shlex.quote(code)}", None, MODEL)
    episode = run_episode(place, agent, 0, folder / "episode", models=models(server, folder, **more))
    return episode, list(read_steps(folder / "episode" / "steps.jsonl"))


@pytest.mark.timeout(900)
def test_the_providers_own_clients_make_a_costed_bundle_without_network(
    engine: Engine, clients: Path, tmp_path: Path
) -> None:
    command = "PYTHONPATH=$GYMBOARD_PROGRAM/site python3 $GYMBOARD_PROGRAM/agent.py"
    agent = command_agent(command, clients, MODEL)
    run = tmp_path / "runs"
    with model_server(SAYS) as server:
        plan = RunPlan(
            "clients",
            run,
            ["colonel-blotto"],
            tasks_root(),
            [0],
            "smoke",
            lambda place, seed: agent,
            models=models(server, run),
        )
        (ended,) = run_episodes(plan, engine)
        billed = server.cost_usd(PRICE)
    episode = ended.episode
    assert episode is not None, ended.failure
    steps = list(read_steps(run / "colonel-blotto" / "seed-0" / "steps.jsonl"))
    said = steps[1].observation
    assert episode.exit_status == "success", said
    for words in (
        "no network",
        'write {"path": "strategy.py"}',
        "second",
        "third",
        "fourth",
        "fifth",
        "sixth",
        "validation mean payoff",
    ):
        assert words in said, said
    assert (episode.trace, episode.usage.api_calls) == ("ABU", 6)
    assert episode.usage.reported_cost_usd == pytest.approx(billed, abs=1e-12) and billed > 0
    assert [len(step.calls) for step in steps] == [6, 0, 0]
    entry = Entry(id="clients", agent="command", agent_version=agent.version, model=MODEL, date="2026-11-21")
    bundle = pack(run, tmp_path / "clients", entry, "local")
    assert bundle == Bundle.from_json((tmp_path / "clients" / "bundle.json").read_bytes())
    assert bundle.declares == agent.declares and agent.declares[:2] == ("command", "gateway")
    assert agent.declares[2].startswith("program sha256:")
    assert bundle.episodes[0].usage.reported_cost_usd == episode.usage.reported_cost_usd
    errors = [problem for problem in check(tmp_path / "clients") if problem.severity == "error"]
    assert not errors, "what is left is that a smoke run of nobody is never ranked"


CURL = """
import json, os, urllib.request
def ask(text):
    body = {"model": os.environ["GYMBOARD_MODEL"], "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]})
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
"""


FOR_EVER = """
import shutil
shutil.copy("baseline.py", "strategy.py")
while True:
    try: ask("more")
    except OSError: pass
"""
DROPS = """
import socket, time
host, port = os.environ["OPENAI_BASE_URL"][7:-3].split(":")
wanted = {"model": os.environ["GYMBOARD_MODEL"], "stream": True, "messages": [{"role": "user", "content": "x"}]}
body, key = json.dumps(wanted), os.environ["OPENAI_API_KEY"]
head = f"Host: x\\r\\nAuthorization: Bearer {key}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
s = socket.create_connection((host, int(port)))
s.sendall(f"POST /v1/chat/completions HTTP/1.1\\r\\n{head}{body}".encode())
s.close()
time.sleep(6)
print("still", ask("y"))
"""


def test_the_cost_limit_ends_a_program_that_asks_for_ever(blotto: Place, tmp_path: Path) -> None:
    with model_server([Say("dear", output_tokens=100)] * 100) as server:
        episode, steps = play(blotto, tmp_path, server, CURL + FOR_EVER, episode_cost_usd=0.01)
        assert episode.exit_status == "cost" and "0.01" in (episode.exit_detail or "")
        assert 0 < server.cost_usd(PRICE) <= 0.01
    assert episode.attempts[-1].sealed is not None, "what was there is handed in"
    assert steps[0].action.kind == "bash" and "stopped" in steps[0].observation


def test_a_dropped_stream_is_counted(blotto: Place, tmp_path: Path) -> None:
    with model_server([Say("a long answer", output_tokens=90, delay_s=2), Say("here")]) as server:
        episode, steps = play(blotto, tmp_path, server, CURL + DROPS)
        assert episode.usage.reported_cost_usd == pytest.approx(server.cost_usd(PRICE), abs=1e-12)
        assert len(server.bill) == 2 and episode.usage.output_tokens > 90
    assert "still here" in steps[0].observation
