"""The safetensors check: a real file passes, everything that could carry something else does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.grading.safetensors import HEAD_CAP, safetensors_fault


def made(head: Any, body: bytes) -> bytes:
    text = json.dumps(head).encode()
    return len(text).to_bytes(8, "little") + text + body


def tensor(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_tensors_that_fill_the_file() -> None:
    head = {
        "__metadata__": {"format": "np"},
        "b": tensor(8, 12, [1]),
        "a": tensor(0, 8, [2, 1]),
        "c": tensor(12, 12, [0]),
    }
    assert safetensors_fault(made(head, bytes(12))) is None
    assert safetensors_fault(made({}, b"")) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "length of a head"),
        (b"\x80\x04\x95\x10\x00\x00\x00\x00pickle", "length of a head"),
        ((HEAD_CAP + 1).to_bytes(8, "little") + bytes(HEAD_CAP + 1), "length of a head"),
        (b"\x05" + bytes(7) + b"{nope", "not JSON"),
        (b"\x04" + bytes(7) + b"\xff\xff\xff\xff", "not JSON"),
        (b"\xa0\x86\x01" + bytes(5) + b"[" * 100_000, "not JSON"),
        (made([], b""), "not a JSON object"),
        (made({"__metadata__": {"code": ["import os"]}}, b""), "__metadata__"),
        (made({"a": tensor(0, 4, [1])}, b"1234 and a program"), "end at byte 4 of 18"),
        (made({"a": tensor(0, 4, [1]), "b": tensor(8, 12, [1])}, bytes(12)), "gap or overlap at byte 4"),
        (made({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, bytes(12)), "gap or overlap at byte 8"),
        (made({"a": tensor(0, 4, [2])}, bytes(4)), "'a'"),
        (made({"a": tensor(0, 4, [-1])}, bytes(4)), "'a'"),
        (made({"a": tensor(0, 4, [1], "PY")}, bytes(4)), "'a'"),
        (made({"a": tensor(0, 4, [True])}, bytes(4)), "'a'"),
        (made({"a": 7}, b""), "'a'"),
    ],
)
def test_anything_else_is_refused(content: bytes, reason: str) -> None:
    assert reason in (safetensors_fault(content) or "")
