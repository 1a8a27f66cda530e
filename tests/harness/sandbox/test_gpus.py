"""`--gpus`: what the engine is asked for, and the refusal where there are none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import images
from harness.errors import EngineUnavailable, SandboxError, UsageError
from harness.sandbox import open_engine
from harness.sandbox.base import BoxSpec
from harness.sandbox.gpus import Gpus, parse_gpus
from harness.sandbox.owner import owner
from harness.schema.task import tasks_root

ROOT = Path(__file__).resolve().parents[3]
without_gpus = pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has GPUs")


@pytest.mark.parametrize(("text", "meant"), [("none", None), ("all", Gpus()), ("2", Gpus(2))])
def test_all_none_or_a_number(text: str, meant: Gpus | None) -> None:
    assert parse_gpus(text) == meant


@pytest.mark.parametrize("text", ["0", "-1", "65", "1.5", "\u0662", "", "some", "0,1"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--gpus takes all, none or a number"):
        parse_gpus(text)


@pytest.mark.docker
@pytest.mark.parametrize(("gpus", "count"), [(Gpus(), -1), (Gpus(2), 2)])
def test_the_engine_is_asked_for_that_many(gpus: Gpus, count: int) -> None:
    images.build("cpu", None, print)
    client = images.connect()
    made = client.containers.create(images.image_id("cpu", client), device_requests=[gpus.request()])
    try:
        [asked] = made.attrs["HostConfig"]["DeviceRequests"]
    finally:
        made.remove()
    assert (asked["Driver"], asked["Count"]) == ("nvidia", count)
    assert asked["Capabilities"] == [["gpu", "compute", "utility"]]


@pytest.fixture
def families(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """tasks/images with two more families made of the cpu image: `bare` without a CUDA variant, `light` with one."""
    images.build("cpu", None, print)
    built = images.image_id("cpu")
    shutil.copytree(tasks_root() / "images", tmp_path / "tasks" / "images")
    for name in ("bare", "light"):
        folder = tmp_path / "tasks" / "images" / name
        folder.mkdir()
        (folder / "Dockerfile").write_text(f"FROM {built}\nCOPY requirements.txt /requirements.txt\n")
        (folder / "requirements.txt").write_text(f"# {name}\n")
    (folder / images.CUDA_LOCKED).write_text("# light, CUDA\n")
    monkeypatch.setattr(images, "tasks_root", lambda: tmp_path / "tasks")
    yield tmp_path
    client = images.connect()
    for name in ("bare", "light", "light-cuda"):
        for image in client.images.list(name=images.image_tag(name)):
            client.images.remove(str(image.id))


@pytest.mark.docker
@without_gpus
def test_an_agent_never_starts_without_the_gpus_that_were_asked_for(families: Path, starter: Path) -> None:
    for name in ("bare", "light", "light-cuda"):
        images.build(name, None, print)
    with open_engine("docker", Gpus(1)) as engine:
        assert (engine.agent_image("bare"), engine.agent_image("light")) == ("bare", "light-cuda")
        with engine.sandbox(BoxSpec("bare", starter)) as box:  # has no use for a GPU
            assert box.exec("echo here", 10).stdout == "here\n"
        with pytest.raises(SandboxError, match="device driver"):
            engine.sandbox(BoxSpec("light", starter))
    with open_engine("docker") as engine, engine.sandbox(BoxSpec("light", starter)) as box:
        assert engine.agent_image("light") == "light"
        assert box.exec("cat /requirements.txt", 10).stdout == "# light\n"


@pytest.mark.docker
@without_gpus
def test_absent_gpus_are_refused_before_the_run() -> None:
    images.build("cpu", None, print)
    ours = {"label": f"gymboard.owner={owner()}"}
    with open_engine("docker", Gpus()) as engine:
        with pytest.raises(EngineUnavailable, match=r"gives none.*device driver.*--gpus none"):
            engine.gpu_names()
        assert images.connect().containers.list(all=True, filters=ours) == []
    with open_engine("docker") as engine:
        assert engine.gpu_names() == ()


@pytest.mark.docker
@without_gpus
def test_the_command_refuses_in_one_block_and_leaves_no_run(tmp_path: Path) -> None:
    words = ["run", "--tasks", "fineweb-lm", "--profile", "smoke", "--gpus", "all", "--runs", str(tmp_path / "runs")]
    command = [sys.executable, "-m", "gymboard", *words]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "--gpus all: the container engine gives none" in ended.stderr and "Traceback" not in ended.stderr
    assert not (tmp_path / "runs").exists()


def test_the_local_sandbox_has_no_gpus_to_give() -> None:
    with pytest.raises(UsageError, match="--gpus none"):
        open_engine("local", Gpus(1))
