"""The starters' official branches, with weights of the official shape or class made here, where the family is built."""

from __future__ import annotations

import csv
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from harness import images
from harness.errors import ImageError
from harness.schema.task import tasks_root

MAKE_RESNET = """
import io, sys, torch, zipfile
import numpy as np
from PIL import Image
from encoder import ResNet50, encoder
out = sys.argv[1]
torch.manual_seed(0)
model = ResNet50()
assert sum(p.numel() for p in model.parameters()) == 25_557_032  # as ImageNet's ResNet-50 has
names = set(model.state_dict())
assert len(names) == 320
assert {"layer1.0.downsample.1.running_var", "layer3.5.bn3.weight", "layer4.2.conv2.weight"} <= names
torch.save(model.state_dict(), out + "/resnet50.pth")
assert not any(p.requires_grad for p in encoder(__import__("pathlib").Path(out, "resnet50.pth")).parameters())
for name, files in (("train", [f"train2017/{k}.jpg" for k in range(6)]), ("inputs", ["a.jpg", "b.jpg"])):
    with zipfile.ZipFile(f"{out}/{name}.zip", "w") as archive:
        for k, file in enumerate(files):
            content = io.BytesIO()
            Image.fromarray(np.full((60 + k, 90), 40 * k, np.uint8)).save(content, "JPEG")
            archive.writestr(file, content.getvalue())
"""
MAKE_BERT = """
import sys
from transformers import BertConfig, BertModel
config = BertConfig(vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
BertModel(config).save_pretrained(sys.argv[1])
"""


@pytest.fixture(scope="module")
def python() -> Path:
    try:
        return images.environment_folder("torch") / "bin" / "python"
    except ImageError as error:
        pytest.skip(str(error))


def run(python: Path, task: str, words: list[str], data: Path, cwd: Path, **params: str) -> str:
    starter = tasks_root() / task / "starter"
    given = {
        "PATH": os.defpath,
        "GYMBOARD_DATA": str(data),
        "PYTHONPATH": str(starter),
        "PYTHONDONTWRITEBYTECODE": "1",
        **params,
    }
    done = subprocess.run([python, *words], cwd=cwd, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def table(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def test_captions_with_the_real_encoder(python: Path, tmp_path: Path) -> None:
    run(python, "coco-captioning", ["-c", MAKE_RESNET, str(tmp_path)], tmp_path, tmp_path)
    rows = [(f"train2017/{k}.jpg", f"a grey picture number {k}.") for k in range(6) for _ in range(5)]
    table(tmp_path / "train.csv", [("image", "caption"), *rows])
    table(tmp_path / "inputs.csv", [("image_id", "image"), ("a", "a.jpg"), ("b", "b.jpg")])
    with zipfile.ZipFile(tmp_path / "train.zip") as file:
        assert len(file.namelist()) == 6
    starter = tasks_root() / "coco-captioning/starter/baseline.py"
    run(python, "coco-captioning", [str(starter)], tmp_path, tmp_path, GYMBOARD_BATCH="3")
    with (tmp_path / "captions.csv").open(newline="") as file:
        assert [row["image_id"] for row in csv.DictReader(file)] == ["a", "b"]


def test_pairs_with_weights_from_a_folder(python: Path, tmp_path: Path) -> None:
    """Every word of the vocabulary is known to the tokenizer: one that reads no file calls all words unknown."""
    (tmp_path / "bert").mkdir()
    run(python, "mnli", ["-c", MAKE_BERT, str(tmp_path / "bert")], tmp_path, tmp_path)
    (tmp_path / "bert/vocab.txt").write_text("\n".join("[PAD] [UNK] [CLS] [SEP] [MASK] the dog runs sleeps".split()))  # noqa: SIM905
    pair = ("the dog runs", "The DOG sleeps", "fiction")
    table(tmp_path / "train.csv", [("premise", "hypothesis", "genre", "label"), *[(*pair, "neutral")] * 3])
    table(tmp_path / "inputs.csv", [("id", "premise", "hypothesis", "genre"), ("x", *pair)])
    starter = (tasks_root() / "mnli/starter/baseline.py").read_text()
    ask = "\nprint('tokens', tokenizer('the dog runs', 'The DOG sleeps')['input_ids'], model.config.hidden_size)\n"
    said = run(python, "mnli", ["-c", starter + ask], tmp_path, tmp_path)
    assert "tokens [2, 5, 6, 7, 3, 5, 6, 8, 3] 16" in said
    assert (tmp_path / "submission.csv").read_text().startswith("id,label\nx,")
