"""The resource rows of task.toml, and the script that measures them, at shapes that take seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from harness import images
from harness.errors import ImageError, SchemaError
from harness.schema.base import canonical_bytes
from harness.schema.task import Resource, load_tasks, tasks_root
from scoring.publish.pages import write_pages

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "benchmarks" / "gpu_steps.py"
TORCH = ("cifar10", "fashion-mnist", "mnli", "coco-captioning", "fineweb-lm")
MEASURED = {
    "part": "a training step",
    "device": "gpu",
    "steps": 600,
    "seconds_per_step": 0.5,
    "peak_gpu_mib": 1234.0,
    "hardware": "one GPU",
    "date": "2026-11-21",
    "source": "a script",
}
UNMEASURED = {"seconds_per_step": "unmeasured", "peak_gpu_mib": "unmeasured", "hardware": None, "date": None}


def resource(**changed: object) -> Resource:
    fields = {name: value for name, value in (MEASURED | changed).items() if value is not None}
    return Resource.from_json(canonical_bytes(fields))


def test_a_length_is_steps_times_seconds_or_unmeasured() -> None:
    assert resource().run_s == 300
    assert resource(**UNMEASURED).run_s is None
    assert resource(device="cpu", peak_gpu_mib=None).run_s == 300


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seconds_per_step": 0}, "seconds_per_step"),
        ({"seconds_per_step": "fast"}, "seconds_per_step"),
        ({"hardware": None}, "names its hardware"),
        ({"date": None}, "names its hardware and date"),
        ({"peak_gpu_mib": None}, "peak_gpu_mib belongs to a GPU's rows"),
        ({"device": "cpu"}, "peak_gpu_mib belongs to a GPU's rows"),
        ({"seconds_per_step": "unmeasured"}, "peak_gpu_mib was measured"),
        ({"source": None}, "source"),
        ({"steps": 0}, "steps"),
    ],
)
def test_a_row_that_guesses_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(said)):
        resource(**changed)


def test_every_task_that_trains_a_network_has_a_row_for_a_gpu() -> None:
    for task in load_tasks().values():
        gpu = [one for one in task.resources if one.device == "gpu"]
        assert bool(gpu) == (task.image != "cpu"), task.id


def test_the_page_shows_what_was_measured_and_what_was_not(tmp_path: Path) -> None:
    task = load_tasks()["cifar10"].model_copy(update={"resources": (resource(), resource(**UNMEASURED))})
    write_pages(tmp_path, {"cifar10": task}, tasks_root())
    page = (tmp_path / "tasks" / "cifar10.md").read_text()
    assert "| a training step | one GPU | 600 | 0.5 | 5 min | 1,234 MiB |" in page
    assert "| a training step | GPU, unmeasured | 600 | unmeasured | unmeasured | unmeasured |" in page


def environment(family: str) -> str:
    try:
        return str(images.environment_folder(family) / "bin" / "python")
    except ImageError as error:
        pytest.skip(str(error))


def steps(python: str, *words: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as place:  # torch leaves its caches there
        env = os.environ | {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu", "TMPDIR": place}
        return subprocess.run([python, str(SCRIPT), *words], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("task", [*TORCH, "meta-maze"])
def test_the_script_times_every_starter_as_it_stands(task: str) -> None:
    spec = load_tasks()[task]
    ended = steps(environment(spec.image), "--tiny", "--steps", "1", task)
    assert ended.returncode == 0, ended.stdout
    rows = tomllib.loads(ended.stdout)["resources"]
    assert all(row["seconds_per_step"] > 0 and row["device"] == "cpu" for row in rows)
    if spec.image == "torch":  # a GPU trains all checkpoints of the jax tasks at once: other steps
        declared = [(one.part, one.steps) for one in spec.resources if one.device == "gpu"]
        assert [(row["part"], row["steps"]) for row in rows] == declared


def test_without_a_gpu_it_measures_nothing_and_says_so() -> None:
    """In this python there is neither torch nor jax."""
    ended = steps(sys.executable, "cifar10", "breakout")
    assert ended.returncode == 0
    assert "[[resources]]" not in ended.stdout
    assert ended.stdout.count("unmeasured") == 2


def test_a_starter_that_fails_fails_the_script(tmp_path: Path) -> None:
    python = environment("torch")
    broken = tmp_path / "tests" / "benchmarks"
    broken.mkdir(parents=True)
    for file in SCRIPT.parent.glob("*_*.py"):
        (broken / file.name).write_bytes(file.read_bytes())
    starter = tmp_path / "tasks" / "cifar10" / "starter"
    starter.mkdir(parents=True)
    (starter / "baseline.py").write_text("raise SystemExit('no images')\n")
    (starter.parent / "task.toml").write_bytes((tasks_root() / "cifar10" / "task.toml").read_bytes())
    command = [python, str(broken / SCRIPT.name), "--tiny", "cifar10"]
    env = os.environ | {"TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "cifar10: failed" in ended.stdout and "no images" in ended.stdout
