"""Whether bytes are a safetensors file and nothing else. Takes hostile bytes, gives the fault; loads no tensor.

Layout (the safetensors format): u64 little-endian length of the head, the head (a JSON object: name -> dtype, shape,
data_offsets; and `__metadata__`, text to text), then the tensors' bytes. The tensors must fill the rest exactly, so
nothing else can travel along.
"""

from __future__ import annotations

import json
from math import prod
from typing import Any

HEAD_CAP = 2**20
LENGTH = 8
ITEM_BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4}
ITEM_BYTES |= {"U64": 8, "I64": 8, "F64": 8}


def safetensors_fault(content: bytes) -> str | None:
    """None, or why this is no safetensors file."""
    size = int.from_bytes(content[:LENGTH], "little")
    if len(content) < LENGTH or not 2 <= size <= min(HEAD_CAP, len(content) - LENGTH):
        return f"its first {LENGTH} bytes are not the length of a head of at most {HEAD_CAP} bytes"
    try:
        head = json.loads(content[LENGTH : LENGTH + size])
    except (ValueError, RecursionError):
        return "its head is not JSON"
    if not isinstance(head, dict):
        return "its head is not a JSON object"
    metadata = head.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        return "its __metadata__ does not map text to text"
    spans = [_span(row) for row in head.values()]
    wrong = [name for name, span in zip(head, spans, strict=True) if span is None]
    if wrong:
        return f"tensor {wrong[0][:60]!r} has no dtype, shape and data_offsets that agree"
    return _gap([span for span in spans if span], len(content) - LENGTH - size)


def _span(row: Any) -> tuple[int, int] | None:
    """(begin, end) of one tensor, when its length is that of its dtype and shape."""
    if not isinstance(row, dict) or set(row) != {"dtype", "shape", "data_offsets"}:
        return None
    dtype, shape, offsets = row["dtype"], row["shape"], row["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES or not _counts(shape) or not _counts(offsets):
        return None
    if len(offsets) != 2 or len(shape) > 8 or offsets[1] - offsets[0] != prod(shape) * ITEM_BYTES[dtype]:
        return None
    return offsets[0], offsets[1]


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)


def _gap(spans: list[tuple[int, int]], total: int) -> str | None:
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            return f"its tensors leave a gap or overlap at byte {reached}"
        reached = end
    return None if reached == total else f"its tensors end at byte {reached} of {total}"
