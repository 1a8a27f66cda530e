"""What a safetensors file must look like before anything loads it. Takes bytes, gives the first fault or None.

Layout: u64 little-endian length of the head, the head (a JSON object: tensor -> dtype, shape, data_offsets), the
tensors without gaps. Reads the head only; never unpickles, never allocates what the head announces.
Source: the format's documentation at github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
from math import prod

HEAD_CAP = 1 << 20
ITEM_BYTES = {"BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2, "I32": 4, "U32": 4, "F32": 4}
ITEM_BYTES |= {"I64": 8, "U64": 8, "F64": 8}


def fault(content: bytes) -> str | None:
    """Why this is no safetensors file, in words for the agent; None when it is one."""
    size = int.from_bytes(content[:8], "little")
    if len(content) < 10 or not 2 <= size <= min(HEAD_CAP, len(content) - 8):
        return f"is no safetensors file: it begins with {content[:8]!r}, not with the length of a head that fits"
    try:
        head = json.loads(content[8 : 8 + size])
    except (ValueError, RecursionError):
        return "is no safetensors file: its head is not JSON"
    if not isinstance(head, dict):
        return "is no safetensors file: its head is not a JSON object"
    head.pop("__metadata__", None)
    spans = []
    for name, entry in head.items():
        span = _span(entry)
        if span is None:
            return f"has a tensor {name[:80]!r} whose dtype, shape and data_offsets do not fit together"
        spans.append(span)
    end = 0
    for begin, stop in sorted(spans):
        if begin != end:
            return f"has a gap or an overlap at byte {end} of its tensors"
        end = stop
    left = len(content) - 8 - size
    return None if end == left else f"holds {left} bytes of tensors, its head announces {end}"


def _span(entry: object) -> tuple[int, int] | None:
    """(begin, end) of one tensor when its three facts agree."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            sizes = len(shape) <= 8 and all(type(one) is int and one >= 0 for one in shape)
            if sizes and dtype in ITEM_BYTES and begin >= 0 and end == begin + prod(shape) * ITEM_BYTES[dtype]:
                return begin, end
    return None
