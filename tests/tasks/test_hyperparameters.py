"""What a task declares about its starter is so: the defaults are its own values, and it prints an estimate."""

from __future__ import annotations

import pytest

from harness import images
from harness.agents.tuner import assignments, printed
from harness.errors import GymboardError
from harness.runner.run import place_of
from harness.sandbox import open_engine
from harness.schema.task import TaskSpec, load_tasks, tasks_root

DECLARED = {name: task for name, task in load_tasks().items() if task.hyperparameters}
NO_ESTIMATE = {"mnli"}
"""Their starters hold nothing out, so a search is led by validate, and those looks are counted."""


def test_what_can_be_searched_is_known_by_name() -> None:
    assert set(load_tasks()) - set(DECLARED) == {"three-sat", "coco-captioning", "fineweb-lm"}


@pytest.mark.parametrize("task", DECLARED.values(), ids=list(DECLARED))
def test_the_defaults_make_the_starters_own_artifact(task: TaskSpec) -> None:
    if task.image != "cpu":
        try:
            images.environment_folder(task.image)
        except GymboardError as error:
            pytest.skip(str(error))
    defaults = {parameter.name: parameter.default for parameter in task.hyperparameters}
    search = f"{assignments(task.hyperparameters, defaults)} {task.search_command or task.starter_command}"
    files = [(file.path, file.max_bytes) for file in task.artifact]
    with open_engine("local") as engine:
        place = place_of(tasks_root() / task.id, "smoke", engine, None)
        with engine.sandbox(place.box(0, place.folder / "starter")) as box:
            assert box.exec(task.starter_command, 500).exit_code == 0
            starters = box.copy_out(files)
            ended = box.exec(search, 500)
            assert ended.exit_code == 0, ended.stderr
            assert box.copy_out(files) == starters
            value = printed(f"estimate {task.metric.name}", ended.stdout)
            assert (value is None) is (task.id in NO_ESTIMATE)
            other = task.hyperparameters[0]
            moved = {**defaults, other.name: other.high if other.kind != "choice" else other.choices[-1]}
            box.exec(search.replace(assignments((other,), defaults), assignments((other,), moved)), 500)
            assert box.copy_out(files) != starters, f"{other.variable} changes nothing"
