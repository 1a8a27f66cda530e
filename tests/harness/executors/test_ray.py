"""Episodes on a real Ray cluster of two nodes, one of which does not see the run's folder: as another machine would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.llm.journal import read_journal
from harness.llm.spending import Ledger
from harness.pack import pack
from harness.schema.bundle import Entry
from harness.schema.episode import Episode
from harness.schema.prices import Price
from harness.schema.run import RunManifest
from harness.schema.steps import read_steps
from tests.harness.executors.ray_nodes import ROOT, Nodes, cluster, environment
from tests.servers.answers import Answer, tool
from tests.servers.models import Asked, ModelServer, model_server

pytest.importorskip("ray")
PRICE = Price(models=("openai/scripted",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")
TASK, SEEDS = "house-price", 4
COMMANDS = ["python baseline.py", *[f"sleep 0.5; echo {number}" for number in range(6)]]
TURNS = len(COMMANDS) + 2
MINE = "tests.harness.executors.plain_asker"


def script(asked: Asked) -> Answer:
    """The next command by the number of answers in the history, then validate, then submit."""
    place = sum(message["role"] == "assistant" for message in asked.messages)
    if place < len(COMMANDS):
        return tool("bash", command=COMMANDS[place])
    return tool("validate") if place == len(COMMANDS) else tool("submit")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    if os.geteuid():
        pytest.skip("a node with folders of its own takes root")
    with cluster(tmp_path) as found:
        yield found


def words(runs: Path, agent: str, *more: str, seeds: int = SEEDS, sandbox: str = "local") -> list[str]:
    run = ["run", "--agent", agent, "--tasks", TASK, "--profile", "smoke", "--sandbox", sandbox, "--plain"]
    return [sys.executable, "-m", "gymboard", *run, "--seeds", str(seeds), "--runs", str(runs), "--run", "r", *more]


def asking(server: ModelServer) -> list[str]:
    return ["--model", "openai/scripted", "--api-base", server.openai, "--price", "3,15", "--yes"]


def on(nodes: Nodes) -> list[str]:
    return ["--executor", "ray", "--address", nodes.address]


def gymboard(call: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(call, env=environment(**env), cwd=ROOT, capture_output=True, text=True, check=False)


def begun(call: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        call, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def until(holds: Callable[[], object], process: subprocess.Popen[str], limit_s: float = 300.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def journals(runs: Path) -> set[str]:
    """The episodes that have paid, as the run's folder has it."""
    return {f"{TASK}/{file.parent.name}" for file in runs.glob(f"r/{TASK}/seed-*/calls.jsonl") if file.stat().st_size}


def left_behind() -> set[str]:
    """What places of a dead or living run leave: temporary folders, and containers where there is an engine."""
    found = {path.name for path in Path(tempfile.gettempdir()).glob("gymboard.*")}
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", "label=gymboard"], capture_output=True, text=True, check=False
    )
    return found | set(listed.stdout.split())


def episodes(run: Path) -> list[Episode]:
    return [Episode.from_json(file.read_bytes()) for file in sorted(run.glob(f"{TASK}/seed-*/episode.json"))]


def shape(run: Path, out: Path) -> Any:
    """The run's bundle without times and what follows from them, and without the digests of its payload's bytes."""
    manifest = RunManifest.from_json((run / "run.json").read_bytes())
    entry = Entry(
        id="compared",
        name="Compared",
        agent=manifest.agent,
        agent_version=manifest.agent_version,
        model=manifest.model,
        organization="test",
    )
    bundle = json.loads(pack(run, out, entry, "github:1").canonical())
    assert [part["name"] for part in bundle["payload"]] == [f"{TASK}.tar.zst"]
    return _without_times({name: value for name, value in bundle.items() if name not in ("payload", "hardware")})


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        timed = ("started", "created", "wall_s", "duration_s", "grade_s", "time")
        return {name: _without_times(inner) for name, inner in value.items() if name not in timed}
    return [_without_times(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.timeout(900)
@pytest.mark.docker
def test_a_node_is_lost(nodes: Nodes, runs: Path, tmp_path: Path) -> None:
    """Killed -9 in mid-run, a paid episode's journal on its own disk: lost 0, paid twice 0, leaked 0, same bundle."""
    before, agent = left_behind(), f"{MINE}:PlainAsker"
    nodes.start()
    far = nodes.start(hidden=runs)
    with model_server(script) as server:
        driver = begun(words(runs, agent, *asking(server), *on(nodes), sandbox="docker"))
        until(lambda: set(far.workers()) & journals(runs), driver)
        (key,) = set(far.workers()) & journals(runs)
        until(lambda: len(list(read_journal(runs / "r" / key / "calls.jsonl"))) > 3, driver)
        far.kill()
        said, _ = driver.communicate(timeout=600)
        assert driver.returncode == 0, said
    done = episodes(runs / "r")
    assert [episode.exit_status for episode in done] == ["success"] * SEEDS, "lost 0"
    lost = sum(lost_calls(folder) for folder in (runs / "r").glob(f"{TASK}/seed-*"))
    assert lost <= 1, "the call that was in flight"
    assert len(server.bill) <= SEEDS * TURNS + lost
    assert server.cost_usd(PRICE) <= Ledger(runs / "r").spent_usd() + 1e-9
    assert left_behind() - before == set(), "leaked 0"
    with model_server(script) as server:
        calm = gymboard(words(tmp_path / "calm", agent, *asking(server), sandbox="docker"))
        assert calm.returncode == 0, calm.stderr
    assert shape(runs / "r", tmp_path / "a") == shape(tmp_path / "calm" / "r", tmp_path / "b")


def lost_calls(folder: Path) -> int:
    """Of a finished episode every request of which was answered once."""
    journal = list(read_journal(folder / "calls.jsonl"))
    answered = Counter(line.call.request_sha256 for line in journal if not line.call.lost)
    assert set(answered.values()) == {1} and len(answered) == TURNS, "no answer is paid twice"
    assert [line.step for line in read_steps(folder / "steps.jsonl")] == list(range(1, TURNS + 1))
    return sum(line.call.lost for line in journal)
