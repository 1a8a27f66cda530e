"""What is refused before a cluster plays: words about one machine, and a machine that is not as the driver's.

No cluster: each machine is asked in this process, as a node would be.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.cli.cluster import ExecutorChoice, demand_where
from harness.errors import UsageError
from harness.executors.aid_words import AidWords
from harness.executors.base import Needs
from harness.executors.cluster import Node
from harness.executors.model_words import ModelWords
from harness.executors.stamp import Stamp, faults_of, stamp_of
from harness.executors.words import RunWords
from harness.sandbox import open_engine
from harness.schema.task import tasks_root

TASK = "colonel-blotto"


def words(folder: Path, **more: Any) -> RunWords:
    given = {"agent": "baseline", "sandbox": "local", **more}
    return RunWords(run="r", folder=folder / "r", tasks=(TASK,), seeds=(0,), profile="smoke", **given)


def stamped(said: RunWords) -> Stamp:
    with open_engine("local") as engine:
        return stamp_of(said, engine)


@pytest.mark.parametrize(
    ("given", "jobs", "said"),
    [
        ({"agent": "human"}, "1", "plays at this terminal"),
        ({"agent": "react", "aids": AidWords(memory="/shared/notes.duckdb")}, "1", "--memory own"),
        ({"gpus": "all"}, "1", "say how many"),
        ({}, "4", "--jobs is for this machine"),
    ],
)
def test_words_about_one_machine(tmp_path: Path, given: dict[str, Any], jobs: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        demand_where(ExecutorChoice.ray, "auto", jobs, words(tmp_path, **given))


def test_an_address_without_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--executor ray"):
        demand_where(ExecutorChoice.local, "auto", "1", words(tmp_path))


def test_the_same_machine_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(words(tmp_path), stamped(words(tmp_path))) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "9.9.9"}, "the driver 9.9.9; install the same one"),
        ({"code": "0" * 64}, "other code"),
        ({"tasks": {TASK: "0" * 64}}, f"its task {TASK} is not the driver's"),
        ({"images": {"cpu": "sha256:" + "0" * 64}}, "its image cpu is not the driver's; gymboard images pull"),
    ],
)
def test_another_machine_is_told_what_to_do(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    driver = stamped(words(tmp_path)).model_copy(update=changed)
    (fault,) = faults_of(words(tmp_path), driver)
    assert said in fault


def test_other_tasks_than_the_drivers(tmp_path: Path) -> None:
    """A folder of tasks that was changed by one byte on this machine."""
    shutil.copytree(tasks_root() / TASK, tmp_path / "tasks" / TASK)
    ours = words(tmp_path, tasks_root=tmp_path / "tasks")
    driver = stamp_of(ours)
    assert faults_of(ours, driver) == []
    with (tmp_path / "tasks" / TASK / "instruction.md").open("a") as file:
        file.write(" ")
    (fault,) = faults_of(ours, driver)
    assert "its task" in fault and "pip install" in fault


def test_what_the_call_names_must_be_there_and_the_same(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    (program / "go.py").write_text("1")
    ours = words(tmp_path, agent="command", command="true", program=program)
    driver = stamp_of(ours)
    assert faults_of(ours, driver) == []
    (program / "go.py").write_text("2")
    assert "its file of --program is not the driver's" in faults_of(ours, driver)[0]
    shutil.rmtree(program)
    assert str(program) in faults_of(ours, driver)[0]
    lost = words(tmp_path, mirror=tmp_path / "nowhere")
    assert "--mirror" in faults_of(lost, stamp_of(lost))[0]


def test_a_model_without_its_key_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelWords(name="openai/gpt-4o", key_env="THE_KEY_OF_THE_TEST")
    ours = words(tmp_path, agent="react", model=model)
    monkeypatch.setenv("THE_KEY_OF_THE_TEST", "a-secret")
    driver = stamped(ours)
    assert "a-secret" not in driver.model_dump_json() + ours.model_dump_json(), "what is sent holds no key"
    assert faults_of(ours, driver) == []
    monkeypatch.delenv("THE_KEY_OF_THE_TEST")
    (fault,) = faults_of(ours, driver)
    assert "THE_KEY_OF_THE_TEST" in fault and "environment" in fault


def test_room_is_what_one_node_has() -> None:
    """Two small nodes are no large one."""
    small = Node("a", "host", cpus=2, gpus=1, memory_mib=8192)
    assert small.fits(Needs(2.0, 8192)) and small.fits(Needs(2.0, 4096, 1))
    assert not small.fits(Needs(2.0, 8193)) and not small.fits(Needs(2.5, 4096)) and not small.fits(Needs(2.0, 4096, 2))
