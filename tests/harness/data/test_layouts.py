"""Every official task's data from small files in the real layout, served over https that breaks again and again."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.data import download, prepare
from harness.data.manifest import faults
from harness.errors import DataError
from harness.schema.digest import folder_sha256
from harness.schema.task import Source, TaskSpec, load_task, tasks_root
from tests.harness.data.server import Server, broken_after, serve, whole
from tests.tasks.vision.test_data import cifar, coco, fashion, multinli


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("authority")) as server:
        yield server


def served(task: str, server: Server, folder: Path, make: Callable[[Path], object]) -> TaskSpec:
    """The task with its own sources' names, but the digests and sizes of the small files, each cut in three."""
    folder.mkdir()
    make(folder)
    spec = load_task(tasks_root() / task)
    server.forget()
    sources = []
    for source in spec.sources:
        data = (folder / source.name).read_bytes()
        server.answers[f"/{source.mirror}"] = broken_after(data, len(data) // 3 + 1)
        ours = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        places = {"urls": (f"{server.url}/{source.mirror}",), "hub": None, "installed": None}
        sources.append(Source.model_validate(source.model_dump() | ours | places))
    return spec.model_copy(update={"sources": tuple(sources)})


def shards(folder: Path) -> None:
    """Token shards: 256 words of header, then two bytes a token."""
    names = ["fineweb_val_000000.bin", *(f"fineweb_train_{number:06d}.bin" for number in range(1, 11))]
    for place, name in enumerate(names):
        tokens = np.arange(500 + place, dtype="<u2")
        header = np.array([20240520, 1, len(tokens), *([0] * 253)], "<i4")
        (folder / name).write_bytes(header.tobytes() + tokens.tobytes())


@pytest.mark.parametrize(
    ("task", "make", "agent"),
    [
        ("fineweb-lm", shards, [f"train-{number:06d}.bin" for number in range(1, 11)]),
        ("cifar10", cifar, ["inputs.npz", "train.npz"]),
        ("fashion-mnist", fashion, ["inputs.npz", "train.npz"]),
        ("mnli", multinli, ["bert/config.json", "bert/model.safetensors", "bert/vocab.txt", "inputs.csv", "train.csv"]),
        ("coco-captioning", coco, ["inputs.csv", "inputs.zip", "resnet50.pth", "train.csv", "train.zip"]),
    ],
)
def test_official_data_over_a_broken_line(
    task: str,
    make: Callable[[Path], object],
    agent: list[str],
    https: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.001)
    spec = served(task, https, tmp_path / "files", make)
    folder, root = tasks_root() / task, tmp_path / "root"
    made = prepare(spec, folder, "official", root=root, opener=https.opener)
    assert made is not None
    assert sorted(path.relative_to(made.agent).as_posix() for path in made.agent.rglob("*") if path.is_file()) == agent
    hidden = ["sealed.bin", "validation.bin"] if task == "fineweb-lm" else ["labels.csv"]
    assert sorted(path.name for path in made.grader.iterdir()) == hidden
    assert faults(made.folder) == []
    assert len(https.requests) == 3 * len(spec.sources), "every file came in three pieces, none twice"
    https.forget()
    again = prepare(spec, folder, "official", root=root, opener=https.opener)
    assert again == made
    assert https.requests == []
    mirror = tmp_path / "mirror"
    for source in spec.sources:
        (mirror / source.mirror).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "files" / source.name, mirror / source.mirror)
    offline = prepare(spec, folder, "official", root=tmp_path / "other", mirror=mirror, offline=True)
    assert offline is not None
    assert folder_sha256(offline.agent) == folder_sha256(made.agent)
    assert https.requests == []


def test_the_last_of_several_files_missing_leaves_no_folder_and_fetches_nothing_twice(
    https: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0.001)
    spec = served("fashion-mnist", https, tmp_path / "files", fashion)
    missing = f"/{spec.sources[-1].mirror}"
    kept = https.answers.pop(missing)
    folder, root = tasks_root() / "fashion-mnist", tmp_path / "root"
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz .* could not be had"):
        prepare(spec, folder, "official", root=root, opener=https.opener)
    assert not list((root / "fashion-mnist").glob("official-*[!k]"))
    https.requests.clear()
    https.answers[missing] = kept
    assert prepare(spec, folder, "official", root=root, opener=https.opener)
    assert {path for path, _ in https.requests} == {missing}


def test_an_archive_that_points_outside_writes_nothing_there(https: Server, tmp_path: Path) -> None:
    """Nothing is unpacked onto the disk: members are read by the names that the annotations and the format give."""

    def hostile(folder: Path) -> None:
        coco(folder)
        with zipfile.ZipFile(folder / "val2017.zip", "a") as file:
            file.writestr("../../outside.txt", "x")
            file.writestr("/tmp/gymboard-outside.txt", "x")
            link = zipfile.ZipInfo("val2017/link.jpg")
            link.external_attr = 0o120777 << 16
            file.writestr(link, "/etc/passwd")

    spec = served("coco-captioning", https, tmp_path / "files", hostile)
    for source in spec.sources:
        https.answers[f"/{source.mirror}"] = whole((tmp_path / "files" / source.name).read_bytes())
    made = prepare(spec, tasks_root() / "coco-captioning", "official", root=tmp_path / "root", opener=https.opener)
    assert made is not None
    assert not Path("/tmp/gymboard-outside.txt").exists()
    assert not list(tmp_path.rglob("outside.txt"))
    with zipfile.ZipFile(made.agent / "inputs.zip") as file:
        assert all("/" not in name and "link" not in name for name in file.namelist())
