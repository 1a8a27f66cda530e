"""Corpus BLEU-4 is sacrebleu's on the same words and what is counted by hand; hostile captions are refused."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path

import numpy as np
import pytest

from harness.grading.base import GradeJob
from harness.grading.bleu import words
from harness.grading.metrics import bleu4
from harness.grading.predictions import grade_predictions, oracle_artifact
from harness.schema.episode import Verdict
from harness.schema.task import load_task, tasks_root

FOLDER = tasks_root() / "coco-captioning"
SPEC = load_task(FOLDER)
SACREBLEU = 0.5111743523879064
"""sacrebleu 2.6.0, corpus_bleu(smooth_method="none", tokenize="none", force=True).score / 100, on corpus()."""


def corpus() -> tuple[np.ndarray, np.ndarray]:
    """Sixty captions with five references each, as SACREBLEU was measured on."""
    draw = random.Random(7)
    known = "a the man dog cat is on in runs sits red big near".split()  # noqa: SIM905
    captions, references = [], []
    for _ in range(60):
        five = [" ".join(draw.choice(known) for _ in range(draw.randint(3, 12))) for _ in range(5)]
        caption = [draw.choice(known) if draw.random() < 0.25 else word for word in draw.choice(five).split()]
        if draw.random() < 0.3:
            caption = caption[:-2] or caption
        captions.append(" ".join(caption))
        references.append("\n".join(five))
    return np.array(references, object), np.array(captions, object)


def test_it_is_sacrebleu() -> None:
    value, stderr = bleu4(*corpus())
    assert value == pytest.approx(SACREBLEU, rel=1e-12)
    references, captions = corpus()
    left = np.array([bleu4(np.delete(references, k), np.delete(captions, k)).value for k in range(60)])
    assert stderr == pytest.approx(math.sqrt(59 / 60 * ((left - left.mean()) ** 2).sum()), rel=1e-9)


def test_a_corpus_counted_by_hand() -> None:
    references = ["a cat sat on the mat today\nthere is a cat on the mat", "two dogs run along the beach\ndogs run"]
    captions = ["The cat sat on the mat.", "two dogs run!"]
    expected = (8 / 9 * 6 / 7 * 4 / 5 * 2 / 3) ** (1 / 4)  # "the" counts once; lengths 9 against 7 + 2
    assert bleu4(np.array(references, object), np.array(captions, object)).value == pytest.approx(expected)


def test_short_captions_are_marked_down_and_nothing_in_common_is_zero() -> None:
    reference = np.array(["a man rides a big wave on a board"] * 2, object)
    assert bleu4(reference, np.array(["a man rides a big wave"] * 2, object)).value == pytest.approx(
        math.exp(1 - 9 / 6)
    )
    assert bleu4(reference, np.array(["a dog", "..."], object)) == (0.0, 0.0)


def test_words() -> None:
    assert words("A man's 2 dogs, red_big -- 'ÉTÉ'") == ["a", "man's", "2", "dogs", "red", "big", "été"]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    references, _ = corpus()
    rows = [(f"{k:04d}", "validation" if k % 3 else "sealed", text) for k, text in enumerate(references)]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", "split", "caption"), *rows])
    return tmp_path


def graded(labels: Path, captions: list[str]) -> Verdict:
    rows = "".join(f'{k:04d},"{text}"\n' for k, text in enumerate(captions))
    data = {"captions.csv": f"image_id,caption\n{rows}".encode()}
    return grade_predictions(GradeJob(SPEC, FOLDER, "smoke", "sealed", data, b"", labels))


def test_the_first_of_several_references_wins(labels: Path) -> None:
    job = GradeJob(SPEC, FOLDER, "smoke", "sealed", oracle_artifact(SPEC, labels), b"", labels)
    assert grade_predictions(job).metrics == {"bleu4": pytest.approx(1.0)}


@pytest.mark.parametrize("bad", ["", "a \x1b[2J man", "a\u202eman", "\u2028", "a" * 1001])
def test_a_caption_that_is_no_caption(labels: Path, bad: str) -> None:
    verdict = graded(labels, ["a man", bad, *["a dog"] * 58])
    assert "caption must be printable text of at most 1,000 characters; 1 such (0001" in (verdict.invalid or "")
    assert verdict.invalid is not None and verdict.invalid.isprintable()


def test_a_caption_of_a_megabyte(labels: Path) -> None:
    assert "line 3 has 1,000,007 bytes" in (graded(labels, ["a man", "a" * 1_000_000, *["a"] * 58]).invalid or "")


def test_a_thousand_characters_are_fine(labels: Path) -> None:
    assert graded(labels, ["a" * 1000, "été 猫", *["a dog"] * 58]).invalid is None
