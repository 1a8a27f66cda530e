"""site/docs/protocol.md says what the wire does: its examples decode, its numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from harness.grading.play.runtime import wire

PAGE = (Path(__file__).resolve().parents[4] / "site" / "docs" / "protocol.md").read_text(encoding="utf-8")


def decoded(block: str) -> wire.Message:
    data = bytes.fromhex(block)
    head, body = wire.lengths(data[:12])
    assert len(data) == 12 + head + body
    return wire.unpack(data[:12], data[12 : 12 + head], data[12 + head :])


def test_the_examples_decode() -> None:
    ask, reply = map(decoded, re.findall(r"```hex\n(.*?)```", PAGE, re.DOTALL))
    assert (ask.kind, ask.seq, reply.kind, reply.seq) == ("round", 3, "reply", 3)
    np.testing.assert_array_equal(ask.array("rows", "i4", (2,)), [0, 1])
    np.testing.assert_array_equal(ask.array("columns", "i4", (2,)), [1, 1])
    np.testing.assert_array_equal(reply.array("moves", "i4", (2,)), [1, 1])


def test_the_caps_are_the_wires() -> None:
    assert f"at most {wire.HEAD_CAP:,}" in PAGE
    assert f"at most {wire.BODY_CAP:,}" in PAGE
    assert all(f"`{dtype}`" in PAGE for dtype in wire.ITEM_BYTES)
