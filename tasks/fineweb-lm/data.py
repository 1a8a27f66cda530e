"""FineWeb tokens: cuts the validation shard, or makes tokens from a seed. Writes agent/ and grader/.

Official: the training shards of FineWeb-10B (GPT-2 tokens) as they are; grader/sealed.bin is the first 10,485,760
targets of the validation shard, grader/validation.bin the next 1,048,576. Smoke: tokens of a random process with the
same file layout, whose next token leans on the two tokens before it (markov()).
"""

import argparse
import json
import os
import shutil
from pathlib import Path

import numpy as np

WORDS, MAGIC, VERSION = 256, 20240520, 1
SEALED, VALIDATION = 10_485_760, 1_048_576  # targets, official
SMOKE = {"train": 400_000, "sealed": 16_384, "validation": 16_384}
HELD_OUT = "fineweb_val_000000.bin"
SEED = 20250220


def markov(vocabulary: int, count: int) -> np.ndarray:
    """With even odds a token follows from the last one or from the one before it: one of eight successors of each,
    the k-th with weight 2 ** -k. grader/oracle/player.py knows these tables."""
    random = np.random.RandomState(SEED)
    tables = [np.stack([random.permutation(vocabulary)[:8] for _ in range(vocabulary)]) for _ in range(2)]
    weights = 0.5 ** np.arange(8)
    which = random.randint(0, 2, count).tolist()
    rank = random.choice(8, count, p=weights / weights.sum()).tolist()
    rows, tokens = [table.tolist() for table in tables], [0, 1]
    for table, place in zip(which, rank, strict=True):
        tokens.append(rows[table][tokens[-1 - table]][place])
    return np.array(tokens[2:], "<u2")


def write(path: Path, tokens: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = np.zeros(WORDS, "<i4")
    header[:3] = MAGIC, VERSION, len(tokens)
    with path.open("wb") as file:
        file.write(header.tobytes() + tokens.astype("<u2").tobytes())


def read(path: Path) -> np.ndarray:
    header = np.fromfile(path, "<i4", WORDS)
    if (header[0], header[1]) != (MAGIC, VERSION):
        raise ValueError(f"{path.name} is no token shard")
    return np.memmap(path, "<u2", "r", offset=4 * WORDS, shape=(int(header[2]),))


def place(path: Path, target: Path) -> None:
    """The same bytes under another name; copied only when they lie on another disk."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("official", "smoke"), required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--params", type=json.loads, required=True)
    args = parser.parse_args()
    if args.profile == "smoke":
        sizes = list(SMOKE.values())
        tokens = markov(int(args.params["vocabulary"]), sum(sizes) + 2)
        write(args.out / "agent/train-000001.bin", tokens[: sizes[0]])
        write(args.out / "grader/sealed.bin", tokens[sizes[0] : sizes[0] + sizes[1] + 1])
        write(args.out / "grader/validation.bin", tokens[sizes[0] + sizes[1] + 1 :])
        return
    held_out = read(args.source / HELD_OUT)
    write(args.out / "grader/sealed.bin", held_out[: SEALED + 1])
    write(args.out / "grader/validation.bin", held_out[SEALED + 1 : SEALED + VALIDATION + 2])
    (args.out / "agent").mkdir()
    for number, path in enumerate(sorted(args.source.glob("fineweb_train_*.bin")), 1):
        read(path)
        place(path.resolve(), args.out / "agent" / f"train-{number:06d}.bin")


if __name__ == "__main__":
    main()
