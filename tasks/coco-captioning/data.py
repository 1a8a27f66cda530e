"""COCO captions: splits the images and hides where they were. Takes the pinned files or a seed, writes agent/, grader/.

Official: train2017 with its captions goes to the agent as it is (the archive and one CSV); the 5,000 images of val2017
get fresh names, one half is validation, the other sealed, drawn with NumPy's RandomState(42); ResNet-50's weights are
copied. Smoke: pictures of one coloured shape from a seed, as PPM files, no weights.
An id is SHAKE-256 of the image's place in the source; inputs are ordered by it and nothing in them leans on the
original order. The ids are opaque, not secret: this file is public.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

WEIGHTS = "resnet50-0676ba61.pth"
Captions = dict[str, list[str]]
"""Name of an image in its archive -> its captions."""


def captions(annotations: Path, part: str) -> Captions:
    """Captions of a part's images, each on one line of printable characters, as many as the annotators wrote."""
    with zipfile.ZipFile(annotations) as archive, archive.open(f"annotations/captions_{part}2017.json") as file:
        document = json.load(file)
    names = {image["id"]: f"{part}2017/{image['file_name']}" for image in document["images"]}
    found: Captions = {name: [] for name in sorted(names.values())}
    for one in sorted(document["annotations"], key=lambda one: one["id"]):
        text = " ".join("".join(char if char.isprintable() else " " for char in one["caption"]).split())
        found[names[one["image_id"]]].append(text)
    return found


COLOURS = {"red": (220, 40, 40), "green": (40, 190, 60), "blue": (50, 70, 220), "yellow": (230, 210, 40)}
GROUNDS = {"black": (15, 15, 15), "white": (240, 240, 240)}
SHAPES = ("square", "bar", "frame")
SIDE = 32
PHRASES = (
    "a {c} {s} on a {g} background",
    "there is a {c} {s} on a {g} background",
    "a {g} picture with a {c} {s} in it",
    "a {c} {s} lies on a {g} background",
    "one {c} {s} on a {g} background",
)


def drawn(random: np.random.RandomState) -> tuple[bytes, list[str]]:
    """A picture (binary PPM) and its five captions."""
    c, s, g = random.choice(list(COLOURS)), random.choice(SHAPES), random.choice(list(GROUNDS))
    image = np.array(GROUNDS[g]) + random.normal(0, 12, (SIDE, SIDE, 3))
    x, y = random.randint(0, SIDE - 16, 2)
    width = 5 if s == "bar" else 16
    image[y : y + 16, x : x + width] = COLOURS[c]
    if s == "frame":
        image[y + 3 : y + 13, x + 3 : x + 13] = GROUNDS[g]
    content = np.clip(image, 0, 255).astype(np.uint8).tobytes()
    return f"P6 {SIDE} {SIDE} 255\n".encode() + content, [phrase.format(c=c, s=s, g=g) for phrase in PHRASES]


def generate(folder: Path, rows: dict[str, int]) -> dict[str, Captions]:
    """Archives of drawn pictures, named as COCO's are, and their captions."""
    random = np.random.RandomState(20250220)
    made: dict[str, Captions] = {}
    for part, n in rows.items():
        made[part] = {}
        with zipfile.ZipFile(folder / f"{part}2017.zip", "w") as archive:
            for place in range(n):
                content, texts = drawn(random)
                name = f"{part}2017/{place:012d}.ppm"
                archive.writestr(zipfile.ZipInfo(name), content)
                made[part][name] = texts
    return made


def opaque_id(salt: str, name: str) -> str:
    return hashlib.shake_256(f"{salt}/{name}".encode()).hexdigest(8)


def rename(source: Path, target: Path, names: dict[str, str]) -> None:
    """Copy the images of one archive to another under new names, without what an archive says about a file."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for before, after in names.items():
            new.writestr(zipfile.ZipInfo(after), old.read(before))


def same_file(source: Path, target: Path) -> None:
    """A second name for large bytes where the disk allows it, else a copy."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("official", "smoke"), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--params", type=json.loads, required=True)
    args = parser.parse_args()
    agent, grader = args.out / "agent", args.out / "grader"
    agent.mkdir(parents=True)
    grader.mkdir()
    if args.profile == "smoke":
        rows = {"train": args.params["train_rows"], "val": args.params["input_rows"]}
        parts = generate(args.source, rows)
    else:
        parts = {part: captions(args.source / "annotations_trainval2017.zip", part) for part in ("train", "val")}
        shutil.copyfile(args.source / WEIGHTS, agent / "resnet50.pth")
    same_file(args.source / "train2017.zip", agent / "train.zip")

    salt = f"gymboard/coco-captioning/{args.profile}/1"
    ids = {name: opaque_id(salt, name) for name in parts["val"]}
    order = sorted(ids, key=ids.__getitem__)
    images = {name: ids[name] + Path(name).suffix for name in order}
    places = np.random.RandomState(42).permutation(len(parts["val"]))[: len(parts["val"]) // 2]
    names = list(parts["val"])
    validation = {names[place] for place in places}
    rename(args.source / "val2017.zip", agent / "inputs.zip", images)
    write(
        agent / "train.csv", ("image", "caption"), ((k, text) for k, texts in parts["train"].items() for text in texts)
    )
    write(agent / "inputs.csv", ("image_id", "image"), ((ids[name], images[name]) for name in order))
    write(
        grader / "labels.csv",
        ("image_id", "split", "caption"),
        ((ids[k], "validation" if k in validation else "sealed", "\n".join(parts["val"][k])) for k in order),
    )


if __name__ == "__main__":
    main()
