"""Fresh ids: every old one is gone, every row keeps its label, nothing else changes; what has no new one is refused."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from harness.data import prepare
from harness.data.fresh import refresh
from harness.errors import DataError
from harness.schema.task import TaskSpec, load_task, tasks_root

TASKS = ("house-price", "fashion-mnist", "cifar10", "mnli", "coco-captioning")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def inputs(spec: TaskSpec, agent: Path) -> list[tuple[str, object]]:
    """(id, everything that the agent sees of the row), in the order in which it is seen."""
    key = str(spec.grader.key)
    if (agent / "inputs.npz").is_file():
        held = np.load(agent / "inputs.npz")
        return [(str(one), image.tobytes()) for one, image in zip(held["ids"], held["images"], strict=True)]
    if (agent / "inputs.zip").is_file():
        with zipfile.ZipFile(agent / "inputs.zip") as held_zip:
            images = {Path(name).name: held_zip.read(name) for name in held_zip.namelist()}
        return [(row[key], images[row["image"]]) for row in rows(agent / "inputs.csv")]
    return [(row.pop(key), tuple(row.values())) for row in rows(agent / "inputs.csv")]


@pytest.mark.parametrize("task", TASKS)
def test_every_row_keeps_its_label_and_loses_its_name_and_place(task: str, tmp_path: Path) -> None:
    folder = tasks_root() / task
    spec = load_task(folder)
    was = prepare(spec, folder, "smoke")
    assert was is not None
    agent, grader = refresh(spec, was.agent, was.grader, tmp_path, b"salt")
    before, after = inputs(spec, was.agent), inputs(spec, agent)
    assert sorted(str(seen) for _, seen in before) == sorted(str(seen) for _, seen in after)
    assert [seen for _, seen in before] != [seen for _, seen in after]
    ids = {one for one, _ in before}
    assert len(ids) == len(after) and not ids & {one for one, _ in after}

    key = str(spec.grader.key)
    labels = {row.pop(key): tuple(row.values()) for row in rows(was.grader / "labels.csv")}
    fresh = {row.pop(key): tuple(row.values()) for row in rows(grader / "labels.csv")}
    truth = sorted((str(seen), labels[one]) for one, seen in before)
    assert sorted((str(seen), fresh[one]) for one, seen in after) == truth

    names = {path.relative_to(was.agent) for path in was.agent.rglob("*")}
    assert {path.relative_to(agent) for path in agent.rglob("*")} == names
    for name in ("train.csv", "train.npz", "train.zip"):
        if (agent / name).is_file():
            assert (agent / name).read_bytes() == (was.agent / name).read_bytes()
    old = re.compile("|".join(sorted(ids)).encode())
    for path in [*agent.rglob("*"), *grader.rglob("*")]:
        assert not path.is_file() or not old.search(path.read_bytes()), path
    assert grader.stat().st_mode & 0o077 == 0, "labels are for their owner alone"
    assert agent.stat().st_mode & 0o555 == 0o555, "an agent of another user reads its data"


def small(folder: Path, ids: tuple[str, ...]) -> tuple[Path, Path]:
    agent, grader = folder / "agent", folder / "grader"
    agent.mkdir()
    grader.mkdir()
    table = "".join(f"{one},{number}\n" for number, one in enumerate(ids))
    (agent / "inputs.csv").write_text("id,LotArea\n" + table)
    (grader / "labels.csv").write_text("id,split,SalePrice\n" + "".join(f"{one},sealed,1\n" for one in ids))
    return agent, grader


IDS = ("00112233aabbccdd", "99887766ffeeddcc")


@pytest.mark.parametrize(
    ("ids", "extra", "said"),
    [
        (("17", "18"), {}, "is not opaque"),
        (IDS, {"notes.json": f'{{"{IDS[0]}": 17}}'}, "notes.json holds ids in a form"),
        (IDS, {"inputs.csv": "place,LotArea\n1,2\n"}, "2 of 2 ids are in no file of agent/"),
        (IDS, {"inputs.csv": f"id,LotArea\n{IDS[0]},2\n"}, "1 of 2 ids"),
    ],
)
def test_an_id_that_cannot_be_renamed_is_no_fresh_data(
    tmp_path: Path, ids: tuple[str, ...], extra: dict[str, str], said: str
) -> None:
    agent, grader = small(tmp_path, ids)
    for name, text in extra.items():
        (agent / name).write_text(text)
    with pytest.raises(DataError, match=said):
        refresh(load_task(tasks_root() / "house-price"), agent, grader, tmp_path / "out", b"salt")


def test_another_salt_is_another_order(tmp_path: Path) -> None:
    spec = load_task(tasks_root() / "house-price")
    agent, grader = small(tmp_path, tuple(f"{number:016x}" for number in range(40)))
    orders = []
    for salt in (b"one", b"two"):
        out, _ = refresh(spec, agent, grader, tmp_path / salt.decode(), salt)
        orders.append([row["LotArea"] for row in rows(out / "inputs.csv")])
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])
