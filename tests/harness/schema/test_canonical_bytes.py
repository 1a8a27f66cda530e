"""The bytes that are signed: one per record, whatever the order of its keys, the process, or the way in and out."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.schema.base import canonical_bytes
from harness.schema.bundle import Bundle
from harness.schema.episode import MAX_REAL, Usage
from tests.harness.schema.documents import BUNDLE

ROOT = Path(__file__).resolve().parents[3]


def shuffled(tree: Any, order: random.Random) -> Any:
    if isinstance(tree, dict):
        items = [(key, shuffled(value, order)) for key, value in tree.items()]
        order.shuffle(items)
        return dict(items)
    return [shuffled(value, order) for value in tree] if isinstance(tree, list) else tree


def test_a_bundle_is_read_and_written_unchanged() -> None:
    data = Bundle.from_json(json.dumps(BUNDLE)).canonical()
    assert Bundle.from_json(data).canonical() == data
    assert data.endswith(b"}\n")
    assert not data.endswith(b"\n\n")


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(order: random.Random) -> None:
    first = Bundle.from_json(json.dumps(BUNDLE)).canonical()
    assert Bundle.from_json(json.dumps(shuffled(BUNDLE, order))).canonical() == first


@given(st.floats(min_value=0, max_value=MAX_REAL))
def test_every_float_survives(seconds: float) -> None:
    usage = Usage(wall_s=seconds)
    assert Usage.from_json(usage.canonical()) == usage


def test_an_integral_float_stays_a_float() -> None:
    assert b'"wall_s": 2.0' in Usage.from_json('{"wall_s": 2}').canonical()


def test_the_hash_seed_does_not_matter() -> None:
    program = "import json, sys; from tests.harness.schema.documents import BUNDLE; "
    program += "from harness.schema.bundle import Bundle; "
    program += "sys.stdout.buffer.write(Bundle.from_json(json.dumps(BUNDLE)).canonical())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert outputs == {Bundle.from_json(json.dumps(BUNDLE)).canonical()}


def test_text_is_utf8_and_not_escaped() -> None:
    assert canonical_bytes({"ü": "😀"}) == '{\n "ü": "😀"\n}\n'.encode()
