"""data.py of the torch family's predictions tasks, on small files in the official layouts: splits, ids, no leak."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.schema.task import ProfileName, load_task, tasks_root

RANDOM = np.random.RandomState(5)
Made = Callable[[str, Path], Path]


def run(task: str, profile: ProfileName, source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    script, spec = tasks_root() / task / "data.py", load_task(tasks_root() / task)
    params = json.dumps(spec.profiles[profile].params)
    words = ["--profile", profile, "--params", params, "--source", str(source), "--out", str(out)]
    return subprocess.run(
        [sys.executable, "-I", "-B", str(script), *words], capture_output=True, text=True, check=False
    )


def official(task: str, source: Path, out: Path) -> Path:
    done = run(task, "official", source, out)
    assert done.returncode == 0, done.stderr
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def labels_of(out: Path, key: str = "id") -> dict[str, dict[str, str]]:
    found = rows(out / "grader/labels.csv")
    keys = [row[key] for row in found]
    assert keys == sorted(set(keys)), "ids are unique, and the file is ordered by them"
    return {row[key]: row for row in found}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return gzip.compress(header + array.tobytes())


def fashion(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    parts = {}
    for name, n in (("train", 200), ("t10k", 50)):
        parts[name] = RANDOM.randint(0, 256, (n, 28, 28), np.uint8), RANDOM.randint(0, 10, n).astype(np.uint8)
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(parts[name][0]))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(parts[name][1]))
    return parts


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """Writes bytes as Python 2 wrote str, which is what the archive's batches hold."""

    dispatch = pickle._Pickler.dispatch.copy()  # type: ignore[attr-defined]

    def save_bytes(self, obj: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(obj)) + obj)
        self.memoize(obj)

    dispatch[bytes] = save_bytes


def batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    file = io.BytesIO()
    flat = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    Python2Pickler(file, 2).dump({b"labels": [int(label) for label in labels], b"data": flat})
    return file.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def archive(folder: Path, batches: dict[str, bytes]) -> None:
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as tar:
        for name, content in batches.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def cifar(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    names = [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]
    drawn = {n: (RANDOM.randint(0, 256, (40, 32, 32, 3), np.uint8), RANDOM.randint(0, 10, 40)) for n in names}
    archive(folder, {name: batch(*content) for name, content in drawn.items()})
    train = [np.concatenate([drawn[name][k] for name in names[:5]]) for k in (0, 1)]
    return {"train": (train[0], train[1]), "t10k": drawn["test_batch"]}


@pytest.mark.parametrize(("task", "make"), [("fashion-mnist", fashion), ("cifar10", cifar)])
def test_images_and_labels_stay_together(task: str, make: Made, tmp_path: Path) -> None:
    parts = make(tmp_path)  # type: ignore[arg-type, call-arg]
    out = official(task, tmp_path, tmp_path / "out")
    pairs = [pair for images, labels in parts.values() for pair in zip(images, labels, strict=True)]
    truth = {image.tobytes(): int(label) for image, label in pairs}
    test_images = {image.tobytes() for image in parts["t10k"][0]}
    train, inputs = np.load(out / "agent/train.npz"), np.load(out / "agent/inputs.npz")
    labels = labels_of(out)
    assert sorted(train.files) == ["images", "labels"] and sorted(inputs.files) == ["ids", "images"]
    assert [truth[image.tobytes()] for image in train["images"]] == train["labels"].tolist()
    for key, image in zip(inputs["ids"].tolist(), inputs["images"], strict=True):
        assert int(labels[key]["label"]) == truth[image.tobytes()]
        assert (labels[key]["split"] == "sealed") == (image.tobytes() in test_images)
    assert not test_images & {image.tobytes() for image in train["images"]}
    n = len(parts["train"][1])
    assert (len(train["labels"]), len(labels)) == (n - n // 10, n // 10 + len(test_images))
    assert not np.array_equal(train["images"], parts["train"][0][: len(train["images"])]), "the order is another"


def test_a_batch_that_brings_code_is_not_run(tmp_path: Path) -> None:
    cifar(tmp_path)
    evil = b"cos\nsystem\n(S'touch " + str(tmp_path / "owned").encode() + b"'\ntR."
    archive(tmp_path, {"data_batch_1": evil})
    done = run("cifar10", "official", tmp_path, tmp_path / "out")
    assert done.returncode and "os.system has no place in a batch of images" in done.stderr
    assert not (tmp_path / "owned").exists()


def test_another_file_than_idx_is_named(tmp_path: Path) -> None:
    fashion(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(idx(np.zeros((3, 32, 32), np.uint8)))
    done = run("fashion-mnist", "official", tmp_path, tmp_path / "out")
    assert done.returncode and "t10k-images-idx3-ubyte.gz: not an IDX file" in done.stderr


def multinli(folder: Path) -> None:
    (folder / "bert").mkdir()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / "bert" / name).write_text(name)
    with zipfile.ZipFile(folder / "multinli_1.0.zip", "w") as file:
        for name, n in (("train", 20_000), ("dev_matched", 90)):
            pairs = [
                {
                    "gold_label": ["entailment", "neutral", "contradiction", "-"][k % 4 if name != "train" else k % 3],
                    "sentence1": f"{name} {k}, \"said\" 'NA'",
                    "sentence2": "null",
                    "genre": ["fiction", "travel", "slate"][min(k % 4, 2)],
                }
                for k in range(n)
            ]
            file.writestr(f"multinli_1.0/multinli_1.0_{name}.jsonl", "\n".join(map(json.dumps, pairs)))


def test_pairs_keep_their_genre_shares(tmp_path: Path) -> None:
    multinli(tmp_path)
    out = official("mnli", tmp_path, tmp_path / "out")
    labels, inputs, train = labels_of(out), rows(out / "agent/inputs.csv"), rows(out / "agent/train.csv")
    assert Counter(row["split"] for row in labels.values()) == {"validation": 9815, "sealed": 68}  # 22 are unlabelled
    assert len(train) == 20_000 - 9815
    assert {row["id"] for row in inputs} == set(labels) and set(inputs[0]) == {"id", "premise", "hypothesis", "genre"}
    genres = Counter(row["genre"] for row in inputs if labels[row["id"]]["split"] == "validation")
    assert genres == {"fiction": 2454, "travel": 2454, "slate": 4907}
    assert all((row["premise"].startswith("train")) == (labels[row["id"]]["split"] == "validation") for row in inputs)
    assert sorted(path.name for path in (out / "agent/bert").iterdir()) == [
        "config.json",
        "model.safetensors",
        "vocab.txt",
    ]


def coco(folder: Path) -> None:
    documents = {}
    for part, n in (("train", 12), ("val", 10)):
        images = [{"id": 7 * k, "file_name": f"{7 * k:012d}.jpg"} for k in range(n)]
        texts = [(image["id"], f"{part} {image['id']}\n\t number {k}.") for image in images for k in range(5)]
        notes = [{"id": k, "image_id": image, "caption": text} for k, (image, text) in enumerate(texts)]
        documents[part] = {"images": images, "annotations": notes}
        with zipfile.ZipFile(folder / f"{part}2017.zip", "w") as file:
            for image in images:
                file.writestr(f"{part}2017/{image['file_name']}", f"{part} {image['id']}")
    with zipfile.ZipFile(folder / "annotations_trainval2017.zip", "w") as file:
        for part, document in documents.items():
            file.writestr(f"annotations/captions_{part}2017.json", json.dumps(document))
    (folder / "resnet50-0676ba61.pth").write_text("weights")


def test_images_keep_their_captions_under_fresh_names(tmp_path: Path) -> None:
    coco(tmp_path)
    out = official("coco-captioning", tmp_path, tmp_path / "out")
    labels = labels_of(out, "image_id")
    assert Counter(row["split"] for row in labels.values()) == {"validation": 5, "sealed": 5}
    with zipfile.ZipFile(out / "agent/inputs.zip") as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for row in rows(out / "agent/inputs.csv"):
            name = file.read(row["image"]).decode()
            assert labels[row["image_id"]]["caption"].split("\n") == [f"{name} number {k}." for k in range(5)]
            assert row["image"] == f"{row['image_id']}.jpg"
    train = rows(out / "agent/train.csv")
    assert len(train) == 60 and train[0] == {"image": "train2017/000000000000.jpg", "caption": "train 0 number 0."}
    assert sorted(path.name for path in (out / "agent").iterdir()) == [
        "inputs.csv", "inputs.zip", "resnet50.pth", "train.csv", "train.zip",
    ]  # fmt: skip


@pytest.mark.parametrize("task", ["cifar10", "coco-captioning", "fashion-mnist", "mnli"])
def test_generated_data_is_the_same_for_everybody(task: str, tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        done = run(task, "smoke", tmp_path / name, tmp_path / name / "out")
        assert done.returncode == 0, done.stderr
        files = sorted(path for path in (tmp_path / name / "out").rglob("*") if path.is_file())
        found.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert found[0] == found[1]
