"""The machine fails under an episode: nothing is lost, nothing is paid twice, no container is left, and what stands in
the end is what stands without the fault, but for its times.

Every fault happens to an engine of the test's own. The file takes a minute: a killed engine needs seconds to come back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
import pytest

from harness.errors import EngineUnavailable
from harness.runner.run import Ended, RunPlan, run_episodes
from harness.sandbox import open_engine, room
from harness.schema.episode import Episode
from harness.schema.steps import read_steps
from harness.schema.task import tasks_root
from tests.harness.runner.run_once import TASK, models
from tests.harness.sandbox.own_engine import OwnEngine, lacking
from tests.servers.answers import Answer, tool
from tests.servers.asker import Asker
from tests.servers.models import Asked, model_server

pytestmark = pytest.mark.docker
COMMANDS = ["echo 1 > counter", "sleep 2; echo $(( $(cat counter) + 1 )) > counter; cat counter"]
SLOW_TO_LOAD = "(echo 'import time; time.sleep(2)'; cat baseline.py) > strategy.py"
SLOW = 1
VALIDATE = len(COMMANDS) + 1
ANSWERS: list[Answer] = [
    *[tool("bash", command=command) for command in [*COMMANDS, SLOW_TO_LOAD]],
    tool("validate"),
    tool("submit"),
]
Fault = Callable[[OwnEngine], None]


@pytest.fixture(scope="module")
def own() -> Iterator[OwnEngine]:
    if why := lacking():
        pytest.skip(why)
    engine = OwnEngine(Path(tempfile.mkdtemp(prefix="gb.")))
    try:
        engine.start()
        engine.load("cpu")
        yield engine
    finally:
        engine.stop()


@pytest.fixture(autouse=True)
def at_own_engine(own: OwnEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", own.host)


def play(url: str, folder: Path) -> list[Ended]:
    plan = RunPlan(
        "faults", folder, [TASK], tasks_root(), [0], "smoke", lambda place, seed: Asker(), models=models(url, folder)
    )
    with open_engine("docker") as engine:
        return list(run_episodes(plan, engine))


def answer(asked: Asked) -> Answer:
    return ANSWERS[sum(message["role"] == "assistant" for message in asked.messages)]


def untimed(folder: Path) -> Any:
    """What an episode left, without what any two runs of it differ in: times, and the seeds that are drawn."""
    done = Episode.from_json((folder / "episode.json").read_bytes())
    attempts = [
        (one.index, one.step, one.kind, one.artifact_sha256, [v and v.valid for v in (one.validation, one.sealed)])
        for one in done.attempts
    ]
    steps = [
        (line.step, line.by, line.action, line.exit_code, "" if line.action.kind == "validate" else line.observation)
        for line in read_steps(folder / "steps.jsonl")
    ]
    said = [step.get("message") for step in json.loads((folder / "trajectory.json").read_text())["steps"][:2]]
    patch = (folder / "workspace.patch").read_text()
    return done.exit_status, done.exit_detail, done.steps, done.actions, done.trace, attempts, steps, said, patch


@pytest.fixture(scope="module")
def undisturbed(own: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch, model_server(answer) as server:
        patch.setenv("DOCKER_HOST", own.host)
        play(server.openai, folder)
    return untimed(folder / TASK / "seed-0")


def engine_dies(own: OwnEngine) -> None:
    own.kill()
    time.sleep(1)
    own.start()


def found(own: OwnEngine, what: str) -> docker.models.containers.Container:
    """The running container whose command has `what`, once there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for container in own.client().containers.list(ignore_removed=True):
            if what in " ".join(container.attrs["Config"]["Cmd"]):
                return container
        time.sleep(0.02)
    raise AssertionError(f"no container runs {what}")


def agents_is_killed(own: OwnEngine) -> None:
    found(own, "infinity").kill()


def agents_is_removed(own: OwnEngine) -> None:
    found(own, "infinity").remove(force=True)


def agents_first_process_dies(own: OwnEngine) -> None:
    os.kill(found(own, "infinity").attrs["State"]["Pid"], signal.SIGKILL)


def agents_first_process_dies_slowly(own: OwnEngine) -> None:
    """It is there until all others have gone, and one of them has a parent outside who takes a second to notice."""
    first = found(own, "infinity").attrs["State"]["Pid"]
    parent = subprocess.Popen(["nsenter", f"--target={first}", "--pid", "sleep", "600"])
    while not Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text():
        time.sleep(0.01)
    parent.send_signal(signal.SIGSTOP)
    os.kill(first, signal.SIGKILL)
    time.sleep(1)
    parent.send_signal(signal.SIGCONT)
    parent.wait(30)


def engine_dies_in_a_grade(own: OwnEngine) -> None:
    found(own, "player_main")
    engine_dies(own)


def player_is_killed(own: OwnEngine) -> None:
    found(own, "player_main").kill()


def referees_first_process_dies(own: OwnEngine) -> None:
    os.kill(found(own, "referee_main").attrs["State"]["Pid"], signal.SIGKILL)


@pytest.mark.parametrize(
    ("fault", "at", "thinking"),
    [
        (engine_dies, SLOW, False),
        (engine_dies, SLOW, True),
        (agents_is_killed, SLOW, False),
        (agents_is_removed, SLOW, False),
        (agents_first_process_dies, SLOW, False),
        (agents_first_process_dies_slowly, SLOW, False),
        (engine_dies_in_a_grade, VALIDATE, False),
        (player_is_killed, VALIDATE, False),
        (referees_first_process_dies, VALIDATE, False),
    ],
)
def test_a_fault_of_the_machine(
    own: OwnEngine, undisturbed: Any, tmp_path: Path, fault: Fault, at: int, thinking: bool
) -> None:
    reached, faulty = threading.Event(), threading.Event()

    def script(asked: Asked) -> Answer:
        """The fault happens once: while the model thinks, or a moment after its answer."""
        if asked.number == at:
            if thinking:
                fault(own)
            reached.set()
        return answer(asked)

    def strike() -> None:
        assert reached.wait(120)
        if not thinking:
            time.sleep(0.0 if at == VALIDATE else 1.0)
            fault(own)
        faulty.set()

    with model_server(script) as server, ThreadPoolExecutor(2) as threads:
        running, struck = threads.submit(play, server.openai, tmp_path), threads.submit(strike)
        struck.result(180)
        ended = running.result(300)
        paid = len(server.bill)
    assert faulty.is_set() and [one.failure for one in ended] == [""], "episodes lost: 0"
    assert paid == len(ANSWERS), "episodes paid twice: 0"
    assert left(own) == [], "containers and volumes left: 0"
    assert untimed(tmp_path / TASK / "seed-0") == undisturbed


def left(own: OwnEngine) -> list[str]:
    client, ours = own.client(), {"label": "gymboard"}
    places = [*client.containers.list(all=True, filters=ours), *client.volumes.list(filters=ours)]
    return [str(place.id) for place in places]


def test_an_engine_that_stays_away_is_reported_and_the_run_goes_on_later(
    own: OwnEngine, undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GYMBOARD_ENGINE_WAIT_S", "2")

    def script(asked: Asked) -> Answer:
        if asked.number == SLOW:
            own.kill()
        return answer(asked)

    try:
        with model_server(script) as server:
            (ended,) = play(server.openai, tmp_path)
            assert ended.episode is None and "did not come back within 2 s" in ended.failure
            assert "--resume" in ended.failure and "waiting up to 2 s" in caplog.text
            with pytest.raises(EngineUnavailable, match="Start one"):
                open_engine("docker", None)
    finally:
        own.start()
    with model_server(answer) as server:
        (ended,) = play(server.openai, tmp_path)
        assert not ended.failure and len(server.bill) == len(ANSWERS) - SLOW - 1
    assert left(own) == [] and untimed(tmp_path / TASK / "seed-0") == undisturbed


def test_no_room_for_a_grader_is_nobodys_score(
    own: OwnEngine, undisturbed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(asked: Asked) -> Answer:
        if asked.number == VALIDATE:
            monkeypatch.setattr(room, "FLOORS", room.Floors(engine_disk_mib=1 << 40, wait_s=0))
        return answer(asked)

    with model_server(script) as server:
        (ended,) = play(server.openai, tmp_path)
        assert ended.episode is None and "of disk in the container engine's folder" in ended.failure
        monkeypatch.setattr(room, "FLOORS", room.Floors())
        (ended,) = play(server.openai, tmp_path)
        assert not ended.failure and len(server.bill) == len(ANSWERS)
    assert left(own) == [] and untimed(tmp_path / TASK / "seed-0") == undisturbed


def test_an_engine_that_is_starting_is_waited_for(own: OwnEngine, caplog: pytest.LogCaptureFixture) -> None:
    own.kill()
    starting = threading.Timer(2, own.start)
    starting.start()
    with open_engine("docker") as engine:
        assert engine.kind == "docker"
    starting.join()
    assert "waiting up to" in caplog.text
