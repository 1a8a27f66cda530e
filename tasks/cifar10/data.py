"""CIFAR-10: splits the images and hides where they were. Takes the pinned archive or a seed, writes agent/, grader/.

Official: the 50,000 training images of the archive, 5,000 of them drawn with NumPy's RandomState(42) for validation,
and the 10,000 test images (sealed). Smoke: images drawn from a seed, in the same shapes.
An id is SHAKE-256 of the image's place in the source; everything is ordered by it, so everybody gets the same files
and nothing in them leans on the original order. The ids are opaque, not secret: this file is public.
"""

import argparse
import csv
import hashlib
import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

CLASSES, SIDE = 10, 32
ARCHIVE = "cifar-10-python.tar.gz"
PARTS = {"train": [f"data_batch_{k}" for k in range(1, 6)], "sealed": ["test_batch"]}


class Unpickler(pickle.Unpickler):
    """Reads the archive's batches: dicts of bytes and arrays, and no other class than those that make an array."""

    ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a batch of images")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def downloaded(source: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images (n, side, side, 3) and labels of the archive's two parts."""
    with tarfile.open(source / ARCHIVE) as tar:
        return {part: joined([batch(tar, name) for name in names]) for part, names in PARTS.items()}


def batch(tar: tarfile.TarFile, name: str) -> tuple[np.ndarray, np.ndarray]:
    """One batch: rows of 3,072 bytes, all red, then all green, then all blue."""
    file = tar.extractfile(f"cifar-10-batches-py/{name}")
    if file is None:
        raise SystemExit(f"{ARCHIVE}: {name} is not a file")
    content = Unpickler(file, encoding="bytes").load()
    images = content[b"data"].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(content[b"labels"], np.uint8)


def joined(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def generated(train: int, sealed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Ten blurred patterns, each image one of them moved a little under noise: enough to learn something real."""
    random = np.random.RandomState(20250220)
    patterns = np.kron(random.rand(CLASSES, 8, 8, 3), np.ones((1, 4, 4, 1)))
    return {part: drawn(random, patterns, n) for part, n in (("train", train), ("sealed", sealed))}


def drawn(random: np.random.RandomState, patterns: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = random.randint(0, CLASSES, n)
    moves = random.randint(-2, 3, (n, 2))
    moved = np.stack([np.roll(patterns[label], move, (0, 1)) for label, move in zip(labels, moves, strict=True)])
    images = 96 + 64 * moved + 90 * random.standard_normal(moved.shape)
    return np.clip(images, 0, 255).astype(np.uint8), labels.astype(np.uint8)


def opaque_id(salt: str, place: str) -> str:
    return hashlib.shake_256(f"{salt}/{place}".encode()).hexdigest(8)


def ordered(salt: str, part: str, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ids, images and labels of one part, by id."""
    ids = np.array([opaque_id(salt, f"{part}/{place}") for place in range(len(labels))])
    order = np.argsort(ids)
    return ids[order], images[order], labels[order]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("official", "smoke"), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--params", type=json.loads, required=True)
    args = parser.parse_args()
    smoke = args.profile == "smoke"
    parts = generated(args.params["train_rows"], args.params["sealed_rows"]) if smoke else downloaded(args.source)
    salt = f"gymboard/cifar10/{args.profile}/1"

    images, labels = parts["train"]
    order = np.random.RandomState(42).permutation(len(labels))
    validation, train = order[: len(labels) // 10], order[len(labels) // 10 :]
    _, train_images, train_labels = ordered(salt, "train", images[train], labels[train])
    hidden_images = np.concatenate([images[validation], parts["sealed"][0]])
    hidden_labels = np.concatenate([labels[validation], parts["sealed"][1]])
    splits = np.repeat(["validation", "sealed"], [len(validation), len(parts["sealed"][1])])
    ids, inputs, truth = ordered(salt, "inputs", hidden_images, hidden_labels)
    split_of = dict(zip((opaque_id(salt, f"inputs/{place}") for place in range(len(splits))), splits, strict=True))

    for part in ("agent", "grader"):
        (args.out / part).mkdir(parents=True, exist_ok=True)
    np.savez(args.out / "agent/train.npz", images=train_images, labels=train_labels)
    np.savez(args.out / "agent/inputs.npz", ids=ids, images=inputs)
    with (args.out / "grader/labels.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "split", "label"))
        writer.writerows((key, split_of[key], int(label)) for key, label in zip(ids.tolist(), truth, strict=True))


if __name__ == "__main__":
    main()
