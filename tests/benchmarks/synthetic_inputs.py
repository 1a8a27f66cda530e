"""Data of the official layout and shapes without any real content, for timing starters where the real data is not.

Takes a task, a folder and whether it is tiny; writes what the starter reads. Runs in the python of the task's image
family (torch, transformers, pillow). Values are random: they change what is learned, not how long a step takes.
"""

from __future__ import annotations

import csv
import io
import itertools
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def images(folder: Path, shape: tuple[int, ...], train: int, inputs: int) -> None:
    """train.npz, inputs.npz of cifar10 and fashion-mnist; `shape` is that of one image."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (train, *shape), dtype=np.uint8)
    np.savez(folder / "train.npz", images=pictures, labels=random.integers(0, 10, train, dtype=np.uint8))
    ids = np.array([f"{number:016x}" for number in range(inputs)])
    np.savez(folder / "inputs.npz", images=pictures[:inputs], ids=ids)


def pairs(folder: Path, train: int, inputs: int, tiny: bool) -> None:
    """train.csv and inputs.csv of mnli, every pair longer than 128 tokens (so it is cut there), and bert/."""
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(**(small if tiny else {}))
    BertModel(config).save_pretrained(folder / "bert")
    words = [f"w{number}" for number in range(config.vocab_size - 5)]
    (folder / "bert" / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    random = np.random.default_rng(0)
    text = [" ".join(random.choice(words, 70)) for _ in range(64)]
    rows = [(text[number % 64], text[-1 - number % 64], "fiction") for number in range(max(train, inputs))]
    labels = itertools.cycle(["entailment", "neutral", "contradiction"])
    table(
        folder / "train.csv",
        ("premise", "hypothesis", "genre", "label"),
        [(*row, next(labels)) for row in rows[:train]],
    )
    given = [(f"{number:016x}", *row) for number, row in enumerate(rows[:inputs])]
    table(folder / "inputs.csv", ("id", "premise", "hypothesis", "genre"), given)


def captions(folder: Path, train: int, inputs: int, words: int, size: tuple[int, int], weights: bool) -> None:
    """train.csv, train.zip, inputs.csv, inputs.zip of coco-captioning; resnet50.pth where `weights`, at random."""
    import torch
    from encoder import ResNet50
    from PIL import Image

    if weights:
        torch.save(ResNet50().state_dict(), folder / "resnet50.pth")
    slope = np.add.outer(np.arange(size[1]), np.arange(size[0]))[..., None] * np.array([1, 2, 3]) % 256
    content = io.BytesIO()
    Image.fromarray(slope.astype(np.uint8)).save(content, "JPEG", quality=90)
    each = itertools.cycle(f"w{number}" for number in range(words))
    names = [f"train2017/{number:012}.jpg" for number in range(train)]
    spoken = [(name, " ".join(itertools.islice(each, 14))) for name in names for _ in range(5)]
    table(folder / "train.csv", ("image", "caption"), spoken)
    asked = [f"{number:012}.jpg" for number in range(inputs)]
    table(folder / "inputs.csv", ("image_id", "image"), [(name[:-4], name) for name in asked])
    for archive, members in (("train.zip", names), ("inputs.zip", asked)):
        with zipfile.ZipFile(folder / archive, "w") as file:
            for name in members:
                file.writestr(name, content.getvalue())


def tokens(folder: Path, count: int, vocabulary: int) -> None:
    """One training shard of fineweb-lm: a header of 256 int32 words, then uint16 tokens."""
    header = np.zeros(256, "<i4")
    header[:3] = 20240520, 1, count
    drawn = np.random.default_rng(0).integers(0, vocabulary, count).astype("<u2")
    (folder / "train-000.bin").write_bytes(header.tobytes() + drawn.tobytes())


def table(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
