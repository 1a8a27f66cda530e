"""Fashion-MNIST: splits the images and hides where they were. Takes the pinned files or a seed, writes agent/, grader/.

Official: the 60,000 training images of the four IDX files, 6,000 of them drawn with NumPy's RandomState(42) for
validation, and the 10,000 test images (sealed). Smoke: images drawn from a seed, in the same shapes.
An id is SHAKE-256 of the image's place in the source; everything is ordered by it, so everybody gets the same files
and nothing in them leans on the original order. The ids are opaque, not secret: this file is public.
"""

import argparse
import csv
import gzip
import hashlib
import json
from pathlib import Path

import numpy as np

CLASSES, SIDE = 10, 28
PARTS = {"train": "train", "sealed": "t10k"}


def downloaded(source: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels of the source's two parts."""
    return {
        part: (
            idx(source / f"{name}-images-idx3-ubyte.gz", (SIDE, SIDE)),
            idx(source / f"{name}-labels-idx1-ubyte.gz", ()),
        )
        for part, name in PARTS.items()
    }


def idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """An IDX file of unsigned bytes: two zero bytes, type 8, number of axes, their lengths, the bytes."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    lengths = tuple(int.from_bytes(content[4 + 4 * k : 8 + 4 * k], "big") for k in range(axes))
    if content[:3] != b"\0\0\x08" or lengths[1:] != shape:
        raise SystemExit(f"{path.name}: not an IDX file of bytes with the shape {('n', *shape)}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(lengths)


def generated(train: int, sealed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Ten blurred patterns, each image one of them moved a little under noise: enough to learn something real."""
    random = np.random.RandomState(20250220)
    patterns = np.kron(random.rand(CLASSES, 7, 7), np.ones((1, 4, 4)))
    return {part: drawn(random, patterns, n) for part, n in (("train", train), ("sealed", sealed))}


def drawn(random: np.random.RandomState, patterns: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = random.randint(0, CLASSES, n)
    moves = random.randint(-2, 3, (n, 2))
    moved = np.stack([np.roll(patterns[label], move, (0, 1)) for label, move in zip(labels, moves, strict=True)])
    images = 96 + 64 * moved + 80 * random.standard_normal(moved.shape)
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
    salt = f"gymboard/fashion-mnist/{args.profile}/1"

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
