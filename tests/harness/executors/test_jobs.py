"""What is played when and where: the order, the room, the words that reach a worker, and wrong words."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from harness.cli.jobs import how_many
from harness.errors import UsageError
from harness.executors.aid_words import AidWords
from harness.executors.base import Job, Needs
from harness.executors.drive import jobs, needs
from harness.executors.local import Processes
from harness.executors.machine import Machine, Room, this_machine
from harness.executors.model_words import ModelWords
from harness.executors.words import RunWords
from harness.executors.work import work
from harness.runner.run import begin
from harness.sandbox import open_engine
from harness.sandbox.gpus import parse_gpus
from harness.schema.task import load_task, tasks_root

ALL = tuple(sorted(file.parent.name for file in tasks_root().glob("*/task.toml")))


def words(folder: Path, **more: object) -> RunWords:
    given = {"run": "a", "folder": folder, "tasks": ALL, "seeds": (0, 1), "profile": "smoke", "agent": "nop"}
    return RunWords(**(given | more))


def test_cheap_tasks_come_first_then_seeds(tmp_path: Path) -> None:
    keys = [job.key for job in jobs(words(tmp_path))]
    assert len(keys) == 2 * len(ALL) == len(set(keys))
    assert keys[0::2] == [key.replace("seed-1", "seed-0") for key in keys[1::2]], "both seeds of a task, then the next"
    memory = [load_task(tasks_root() / key.partition("/")[0]).limits.memory_mib for key in keys]
    assert memory == sorted(memory)


def test_only_what_is_named_and_the_run_has(tmp_path: Path) -> None:
    named = ["mnli/seed-1", "colonel-blotto/seed-0"]
    assert [job.key for job in jobs(words(tmp_path), named)] == named[::-1]
    for stranger in ("mnli/seed-2", "mnli", "../x/seed-0", "mnli/seed-01"):
        with pytest.raises(UsageError, match="no such episode"):
            jobs(words(tmp_path), [stranger])


def test_needs_are_those_of_the_task() -> None:
    big, small = load_task(tasks_root() / "mnli"), load_task(tasks_root() / "house-price")
    assert needs(big, "none") == Needs(big.limits.cpus, big.limits.memory_mib, 0)
    assert (needs(big, "2").gpus, needs(big, "all").gpus) == (2, None)
    assert needs(small, "2").gpus == 0, "its image has no use for one"


def test_room_is_what_is_not_taken() -> None:
    room, small, big = Room(4.0, 10_000), Needs(2.0, 4096), Needs(1.0, 8192)
    room.take(small)
    assert room.fits(small) and not room.fits(big)
    room.take(small)
    assert not room.fits(Needs(0.5, 1)), "no processor is left"
    room.give(small)
    assert room.fits(small)
    said = Room(None, 10_000)
    for _ in range(2):
        said.take(small)
    assert not said.fits(small), "memory is not a matter of saying so"


def test_this_machine_has_something() -> None:
    machine = this_machine("local")
    assert machine.cpus >= 1 and machine.memory_mib > 256 and machine.gpus == 0


def test_words_survive_the_way_to_a_worker(tmp_path: Path) -> None:
    model = ModelWords(name="openai/m", api_base="http://127.0.0.1:1", price="3,15", run_cost_usd=2.5)
    aids = AidWords(memory="notes", literature=True)
    whole = words(tmp_path, agent="react", agent_file=Path("agent.toml"), model=model, aids=aids)
    there = RunWords.from_json(whole.absolute().model_dump_json())
    assert there == whole.absolute() and there.agent_file == Path.cwd() / "agent.toml"
    assert there.aids.memory == str(Path.cwd() / "notes")
    assert words(tmp_path, aids=AidWords(memory="own")).absolute().aids.memory == "own"
    assert "KEY" not in json.dumps(json.loads(whole.model_dump_json())), "a key is never part of it"


def test_a_worker_of_another_version_plays_nothing(tmp_path: Path) -> None:
    """Also one whose copy of the task differs, and one that was given no run."""
    said = words(tmp_path / "run", tasks=("colonel-blotto",), sandbox="local")
    said.folder.mkdir()
    with pytest.raises(UsageError, match="there is no run"):
        work(said, "colonel-blotto/seed-0")
    with open_engine("local") as engine:
        begin(said.plan(), engine)
    file = said.folder / "run.json"
    begun = json.loads(file.read_text())
    for field, other in (("harness_version", "0.0.9"), ("tasks_sha256", {"colonel-blotto": "0" * 64})):
        file.write_text(json.dumps(begun | {field: other}))
        with pytest.raises(UsageError, match=f"another {field}; go on with the version"):
            work(said, "colonel-blotto/seed-0")
    file.write_text(json.dumps(begun | {"images": dict.fromkeys(begun["images"], "sha256:" + "0" * 64)}))
    with pytest.raises(UsageError, match="another images"):
        work(said, "colonel-blotto/seed-0")
    assert not (said.folder / "colonel-blotto").exists()
    file.write_text(json.dumps(begun))
    ended = work(said, "colonel-blotto/seed-0")
    assert ended is not None and ended.fresh and ended.episode is not None
    again = work(said, "colonel-blotto/seed-0")
    assert again is not None and not again.fresh and again.episode == ended.episode


def test_a_worker_that_cannot_begin_says_why(tmp_path: Path) -> None:
    said = words(tmp_path, tasks=("colonel-blotto",), sandbox="local")
    some = [Job("colonel-blotto/seed-0", Needs(1.0, 1))]
    with pytest.raises(UsageError, match="there is no run"):
        list(Processes(2, Machine(2.0, 1024)).run(said, some, lambda told: None, threading.Event()))


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "", "9999", "²"])
def test_wrong_words_about_jobs(text: str) -> None:
    with pytest.raises(UsageError, match="auto or a number"):
        how_many(text, "nop")
    with pytest.raises(UsageError, match="one episode at a time"):
        how_many("auto", "human")
    assert (how_many("auto", "nop"), how_many("7", "nop"), how_many("1", "human")) == (None, 7, 1)


def test_gpus_side_by_side_are_not_the_same() -> None:
    one = parse_gpus("1", ["3"])
    assert one is not None and one.request()["DeviceIDs"] == ["3"]
    either = parse_gpus("1")
    assert either is not None and either.request()["Count"] == 1
