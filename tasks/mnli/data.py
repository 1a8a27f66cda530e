"""MultiNLI: splits the pairs and hides where they were. Takes the pinned files or a seed, writes agent/, grader/.

Official: the training pairs with a gold label, 9,815 of them drawn by genre for validation (each genre in its share,
NumPy's RandomState(42)); the 9,815 labelled pairs of the matched development set are sealed; bert-base-uncased is
copied to agent/bert/. Smoke: pairs made from a seed out of thirty words, a vocabulary of those words, no weights.
An id is SHAKE-256 of the pair's place in the source; everything is ordered by it, so everybody gets the same files and
nothing in them leans on the original order. The ids are opaque, not secret: this file is public.
"""

import argparse
import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

LABELS = ("entailment", "neutral", "contradiction")
FIELDS = ("premise", "hypothesis")
FOLDER, TRAIN, TEST = "multinli_1.0", "multinli_1.0_train.jsonl", "multinli_1.0_dev_matched.jsonl"
WEIGHTS = ("config.json", "model.safetensors", "vocab.txt")
VALIDATION_ROWS = 9815
Row = dict[str, str]


def downloaded(source: Path) -> dict[str, list[Row]]:
    with zipfile.ZipFile(source / "multinli_1.0.zip") as archive:
        return {part: list(pairs(archive, name)) for part, name in (("train", TRAIN), ("sealed", TEST))}


def pairs(archive: zipfile.ZipFile, name: str) -> Iterable[Row]:
    """The pairs on whose label the annotators agreed."""
    with archive.open(f"{FOLDER}/{name}") as file:
        for line in io.TextIOWrapper(file, "utf-8"):
            pair = json.loads(line)
            if pair["gold_label"] in LABELS:
                values = (pair["sentence1"], pair["sentence2"], pair["genre"], pair["gold_label"])
                yield dict(zip(("premise", "hypothesis", "genre", "label"), values, strict=True))


ACTORS = ["cat", "dog", "girl", "boy", "man", "woman", "horse", "bird", "king", "cook"]
ACTS = ["eats", "sleeps", "runs", "sings", "reads", "swims", "works", "dances", "waits", "falls"]
PLACES = ["home", "school", "market", "garden", "river", "castle"]


def generated(train: int, sealed: int) -> dict[str, list[Row]]:
    """Pairs whose label follows from whether the second sentence drops, changes or denies a word of the first."""
    random = np.random.RandomState(20250220)
    return {part: [invented(random) for _ in range(n)] for part, n in (("train", train), ("sealed", sealed))}


def invented(random: np.random.RandomState) -> Row:
    label = LABELS[random.randint(3)]
    actor, act, place = random.choice(ACTORS), random.choice(ACTS), random.choice(PLACES)
    premise = f"the {actor} {act} at the {place}"
    hypothesis = {
        "entailment": f"the {actor} {act}",
        "neutral": f"the {actor} {act} because it is late",
        "contradiction": f"no {actor} {act}",
    }[label]
    if random.rand() < 0.15:  # annotators disagree
        label = LABELS[random.randint(3)]
    return {"premise": premise, "hypothesis": hypothesis, "genre": place, "label": label}


def write_vocabulary(folder: Path) -> None:
    words = [*ACTORS, *ACTS, *PLACES, "the", "at", "no", "because", "it", "is", "late"]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]) + "\n")


def validation_places(rows: list[Row], wanted: int) -> set[int]:
    """`wanted` places, each genre in its share, the largest remainders rounded up."""
    random = np.random.RandomState(42)
    by_genre: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        by_genre.setdefault(row["genre"], []).append(place)
    genres = sorted(by_genre)
    shares = np.array([len(by_genre[genre]) for genre in genres]) * wanted / len(rows)
    counts = np.floor(shares).astype(int)
    counts[np.argsort(counts - shares, kind="stable")[: wanted - counts.sum()]] += 1
    drawn = (random.permutation(by_genre[genre])[:count] for genre, count in zip(genres, counts, strict=True))
    return {int(place) for places in drawn for place in places}


def opaque_id(salt: str, place: str) -> str:
    return hashlib.shake_256(f"{salt}/{place}".encode()).hexdigest(8)


def write(path: Path, header: tuple[str, ...], rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("official", "smoke"), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--params", type=json.loads, required=True)
    args = parser.parse_args()
    smoke = args.profile == "smoke"
    parts = generated(args.params["train_rows"], args.params["sealed_rows"]) if smoke else downloaded(args.source)
    held_out = validation_places(parts["train"], len(parts["train"]) // 10 if smoke else VALIDATION_ROWS)
    salt = f"gymboard/mnli/{args.profile}/1"
    rows = []
    for part, found in parts.items():
        for place, row in enumerate(found):
            split = "validation" if part == "train" and place in held_out else part
            rows.append(row | {"split": split, "id": opaque_id(salt, f"{part}/{place}")})
    rows.sort(key=lambda row: row["id"])
    hidden = [row for row in rows if row["split"] != "train"]
    write(args.out / "agent/train.csv", (*FIELDS, "genre", "label"), [row for row in rows if row["split"] == "train"])
    write(args.out / "agent/inputs.csv", ("id", *FIELDS, "genre"), hidden)
    write(args.out / "grader/labels.csv", ("id", "split", "label"), hidden)
    if smoke:
        write_vocabulary(args.out / "agent/bert")
    else:
        (args.out / "agent/bert").mkdir()
        for name in WEIGHTS:
            shutil.copyfile(args.source / "bert" / name, args.out / "agent/bert" / name)


if __name__ == "__main__":
    main()
