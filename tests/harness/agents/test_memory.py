"""react with memory and literature in whole episodes: who sees which notes, and how a broken episode goes on."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings
from harness.errors import UsageError
from harness.literature.library import Shelf
from harness.literature.web import Web
from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.memory.minilm import load_minilm
from harness.memory.notes import Note, Notes
from harness.runner.aids import Aids, MemoryPlan
from harness.runner.run import Ended, RunPlan, run_episodes
from harness.sandbox import open_engine
from harness.schema.run import RunManifest
from harness.schema.steps import read_steps
from harness.schema.task import tasks_root
from tests.harness.data.server import Server, serve, whole
from tests.harness.literature.papers import pdf
from tests.harness.runner.run_once import PRICE
from tests.servers.answers import Answer, Refuse, tool
from tests.servers.models import Asked, ModelServer, model_server

TASK = "colonel-blotto"
WRITE = tool("memory_write", text="small learning rates win", tags=["lr"], scores={"payoff": 0.5})
READ = tool("memory_read", question="which learning rate is best?")


def plays(*answers: Answer) -> list[Answer]:
    return [*answers, tool("bash", command="cp baseline.py strategy.py"), tool("submit")]


def by_turn(script: list[Answer], broken: set[int]) -> object:
    """The answer of the turn that the history shows; the turns of `broken` are refused."""

    def answer(asked: Asked) -> Answer:
        turn = sum(message["role"] == "assistant" for message in asked.messages)
        return Refuse(401, "no such key", "authentication_error") if turn in broken else script[turn]

    return answer


def played(server: ModelServer, folder: Path, aids: Aids, name: str = "one") -> list[Ended]:
    """One episode of a run, or the rest of it."""
    models = Models(ModelPlan("openai/scripted", server.openai, price=PRICE), folder, "2026-11-21")
    plan = RunPlan(
        name,
        folder,
        [TASK],
        tasks_root(),
        [0],
        "smoke",
        lambda place, seed: ReactAgent(ReactSettings(), "openai/scripted", native=True),
        models=models,
        aids=aids,
    )
    with open_engine("local") as engine:
        return list(run_episodes(plan, engine))


def observations(folder: Path) -> dict[str, str]:
    """What came of each tool, the last time it was called."""
    return {line.action.tool: line.observation for line in read_steps(folder / TASK / "seed-0" / "steps.jsonl")}


def system(asked: Asked) -> str:
    return str(asked.messages[0]["content"])


def test_without_aids_an_agent_is_told_of_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with model_server(plays(READ)) as server:
        (ended,) = played(server, tmp_path / "run", Aids())
        names = {each["function"]["name"] for each in server.asked[0].body["tools"]}
    assert not names & {"memory_write", "memory_read", "literature_search", "read_pdf"}
    assert "emory" not in system(server.asked[0])
    assert ended.episode is not None
    assert "Memory" not in ended.episode.actions
    assert RunManifest.from_json((tmp_path / "run" / "run.json").read_bytes(), "run").declares == ()


def test_own_notes_end_with_their_episode(tmp_path: Path) -> None:
    aids = Aids(MemoryPlan())
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        with model_server(plays(READ, WRITE, READ) if run == "one" else plays(READ)) as server:
            (ended,) = played(server, tmp_path / run, aids, run)
        assert "Your memory is empty" in system(server.asked[0])
        assert ended.episode is not None
    assert "| small learning rates win" in observations(tmp_path / "one")["memory_read"]
    assert observations(tmp_path / "two")["memory_read"] == "the memory is empty"
    manifest = RunManifest.from_json((tmp_path / "one" / "run.json").read_bytes(), "run")
    assert manifest.declares == ("memory",)


def test_a_shared_file_is_seen_by_the_next_run_and_a_broken_episode_goes_on_the_same(tmp_path: Path) -> None:
    """The first run breaks after its note; another writes to the same file; the first goes on as if nothing was."""
    file, script = tmp_path / "shared.duckdb", plays(WRITE, READ)
    aids = Aids(MemoryPlan(file))
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
    with model_server(by_turn(script, {2})) as server:  # type: ignore[arg-type]
        assert played(server, tmp_path / "one", aids)[0].episode is None
        first = [system(asked) for asked in server.asked]
    before = observations(tmp_path / "one")
    assert set(before) == {"memory_write", "memory_read"}

    with model_server(plays(READ, WRITE)) as server:
        assert played(server, tmp_path / "two", aids, "two")[0].episode is not None
        told = system(server.asked[0])
    assert "Your memory has 1 note" in told
    assert "[colonel-blotto/seed-0; tags lr; payoff = 0.5] small learning rates win" in told

    with model_server(by_turn(script, set())) as server:  # type: ignore[arg-type]
        assert played(server, tmp_path / "one", aids)[0].episode is not None
        assert [system(asked) for asked in server.asked] == first[:1] * 2  # only what was not answered is asked
        messages = json.dumps(server.asked[0].messages)
    assert messages.count("1. similarity") == 1  # as recorded, though there are two notes by now
    after = observations(tmp_path / "one")
    assert {name: after[name] for name in before} == before
    notes = Notes(file, "reader", load_minilm())
    assert [found.scope.partition("@")[0] for found in notes.read("learning rate", 9)] == ["one", "two"]
    declared = RunManifest.from_json((tmp_path / "one" / "run.json").read_bytes(), "run").declares
    assert declared == ("memory", "memory-shared")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "ca").mkdir()
    with serve(tmp_path / "ca") as server:
        yield server


def test_a_recorded_look_up_is_not_asked_for_again(web: Server, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    web.answers["/a.pdf"] = whole(pdf("what the paper says"))
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca" / "ca.pem"))
    aids = Aids(shelf=Shelf(Web(trust, lambda address: True), web.url))
    script = plays(tool("read_pdf", url=f"{web.url}/a.pdf"))
    with model_server(by_turn(script, {1})) as server:  # type: ignore[arg-type]
        assert played(server, tmp_path / "run", aids)[0].episode is None
    web.answers["/a.pdf"] = whole(pdf("something else"))
    with model_server(by_turn(script, set())) as server:  # type: ignore[arg-type]
        (ended,) = played(server, tmp_path / "run", aids)
    assert len(web.requests) == 1
    assert "| what the paper says" in observations(tmp_path / "run")["read_pdf"]
    assert ended.episode is not None
    assert ended.episode.actions["Literature"] == 1
    assert RunManifest.from_json((tmp_path / "run" / "run.json").read_bytes(), "run").declares == ("literature",)


def test_a_file_that_cannot_be_used_is_told_before_anything_is_made(tmp_path: Path) -> None:
    torn, other = tmp_path / "torn.duckdb", tmp_path / "other.duckdb"
    torn.write_bytes(b"torn" * 3000)
    with pytest.raises(UsageError, match=r"torn\.duckdb cannot be read"):
        Aids(MemoryPlan(torn)).check()
    Notes(other, "s", replace_name(load_minilm())).write(Note("a"))
    with pytest.raises(UsageError, match="begin another file"):
        Aids(MemoryPlan(other)).check()
    Aids(MemoryPlan(tmp_path / "new.duckdb")).check()
    assert not (tmp_path / "new.duckdb").exists()


def replace_name(embedder: object) -> object:
    """The same vectors under another name."""
    return type("Renamed", (), {"name": "another", "embed": lambda self, text: embedder.embed(text)})()  # type: ignore[attr-defined]
