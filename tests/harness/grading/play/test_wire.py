"""The wire against hostile bytes, on real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.grading.play.runtime import wire
from harness.grading.play.runtime.table import Foul, Patience, Player


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    yield ours, theirs
    ours.close()
    theirs.close()


def frame(head: object, body: bytes = b"") -> bytes:
    data = head if isinstance(head, bytes) else json.dumps(head).encode()
    return wire.HEADER.pack(wire.MAGIC, len(data), len(body)) + data + body


def head(arrays: object = (), **other: object) -> dict[str, object]:
    return {"kind": "reply", "seq": 1, "meta": {}, "arrays": arrays, **other}


def received(pair: tuple[socket.socket, socket.socket], data: bytes, seconds: float = 5) -> wire.Message:
    ours, theirs = pair

    def write() -> None:
        with suppress(OSError):  # the reader hangs up on what it refuses
            theirs.sendall(data)
            theirs.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return wire.receive(ours, time.monotonic() + seconds)
    finally:
        ours.close()
        thread.join()


@pytest.mark.parametrize("dtype", sorted(wire.ITEM_BYTES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 6), (0, 5), (2, 1, 3, 2)])
def test_every_dtype_and_shape_comes_back(pair, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(int(np.prod(shape)), dtype=dtype).reshape(shape)
    found = received(pair, wire.pack("round", 7, {"a": [1, "é"]}, {"moves": array}))
    assert (found.kind, found.seq, found.meta) == ("round", 7, {"a": [1, "é"]})
    np.testing.assert_array_equal(found.array("moves", dtype, shape), array)


def test_a_transposed_or_big_endian_array_travels_by_value(pair) -> None:
    array = np.arange(12, dtype=">i4").reshape(3, 4).T
    found = received(pair, wire.pack("round", 1, None, {"a": array, "b": np.float64([1.5])}))
    np.testing.assert_array_equal(found.array("a", "i4", (4, 3)), array)
    assert found.arrays["b"][0] == 1.5
    with pytest.raises(ValueError, match="read-only"):
        found.arrays["a"][0] = 9


HOSTILE = {
    "wrong mark": (b"HTTP/1.1 200 OK\r\n\r\n", "begins with"),
    "head length bomb": (wire.HEADER.pack(wire.MAGIC, 2**32 - 1, 0), "too large"),
    "body length bomb": (wire.HEADER.pack(wire.MAGIC, 2, 2**32 - 1) + b"{}", "too large"),
    "truncated header": (b"GYM1\x00", "closed"),
    "truncated head": (frame(head())[:-4], "closed"),
    "truncated body": (frame(head([["a", "i4", [2]]]), bytes(8))[:-1], "closed"),
    "nothing": (b"", "closed"),
    "not JSON": (frame(b"{'a'"), "not JSON"),
    "not UTF-8": (frame(b"\xff\xfe{}"), "not JSON"),
    "deep JSON": (frame(b"[" * 200_000), "not JSON"),
    "deep JSON in meta": (
        frame(b'{"kind":"reply","seq":1,"arrays":[],"meta":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001),
        "not JSON",
    ),
    "NaN": (frame(b'{"kind":"reply","seq":1,"meta":{"a":NaN},"arrays":[]}'), "NaN is not a number"),
    "integer of a million digits": (
        frame(b'{"kind":"reply","seq":' + b"9" * 10**6 + b',"meta":{},"arrays":[]}'),
        "not JSON",
    ),
    "head is a list": (frame([]), "exactly"),
    "missing key": (frame({"kind": "reply"}), "exactly"),
    "unknown key": (frame(head(extra=1)), "exactly"),
    "kind is a number": (frame(head(kind=1)), "short name"),
    "kind is long": (frame(head(kind="x" * 33)), "short name"),
    "kind is not printable": (frame(head(kind="a\x1b[2J")), "short name"),
    "seq is a bool": (frame(head(seq=True)), "seq an integer"),
    "seq is negative": (frame(head(seq=-1)), "seq an integer"),
    "seq is a float": (frame(head(seq=1.0)), "seq an integer"),
    "meta is a list": (frame(head(meta=[])), "meta an object"),
    "arrays is an object": (frame(head({})), "at most 32"),
    "too many arrays": (frame(head([[f"a{n}", "i4", [0]] for n in range(33)])), "at most 32"),
    "array row too short": (frame(head([["a", "i4"]])), "announced as"),
    "object dtype": (frame(head([["a", "O", [1]]]), bytes(8)), "dtypes"),
    "dtype of structure": (frame(head([["a", "i4,i4", [1]]]), bytes(8)), "dtypes"),
    "dtype is a list": (frame(head([["a", [["f", "O"]], [1]]]), bytes(8)), "dtypes"),
    "string dtype": (frame(head([["a", "U4", [1]]]), bytes(16)), "dtypes"),
    "big-endian dtype": (frame(head([["a", ">i4", [1]]]), bytes(4)), "dtypes"),
    "negative size": (frame(head([["a", "i4", [-1]]])), "from 0"),
    "two negative sizes": (frame(head([["a", "i4", [-2, -2]]]), bytes(16)), "from 0"),
    "size is a bool": (frame(head([["a", "i4", [True]]]), bytes(4)), "from 0"),
    "size is a float": (frame(head([["a", "i4", [1.0]]]), bytes(4)), "from 0"),
    "size is a huge integer": (frame(head([["a", "i4", [2**63]]])), "from 0"),
    "product overflows": (frame(head([["a", "i1", [2**16, 2**16, 2**16, 2**16]]])), "longer than the body"),
    "zero times huge": (frame(head([["a", "i1", [0, 2**62, 2**62]]])), "from 0"),
    "five dimensions": (frame(head([["a", "i1", [1, 1, 1, 1, 1]]]), bytes(1)), "at most 4"),
    "array longer than the body": (frame(head([["a", "f8", [2]]]), bytes(15)), "longer than the body"),
    "body longer than the arrays": (frame(head([["a", "i4", [1]]]), bytes(5)), "has 5 bytes, the arrays 4"),
    "empty, yet too large for numpy": (frame(head([["a", "i4", [2**26, 2**26, 2**26, 0]]])), "larger than a body"),
    "overlap by name": (frame(head([["a", "i4", [1]], ["a", "i4", [1]]]), bytes(8)), "two arrays"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_a_wire_error(pair, data: bytes, words: str) -> None:
    with pytest.raises(wire.WireError, match=words):
        received(pair, data)


@given(st.binary(max_size=200))
def test_no_head_escapes_as_another_error(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.unpack(wire.HEADER.pack(wire.MAGIC, len(data), 0), data, b"")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, json_values, json_values, json_values, st.binary(max_size=32))
def test_no_json_in_the_head_escapes_as_another_error(kind, seq, meta, arrays, body: bytes) -> None:
    data = json.dumps({"kind": kind, "seq": seq, "meta": meta, "arrays": arrays}).encode()
    try:
        found = wire.unpack(wire.HEADER.pack(wire.MAGIC, len(data), len(body)), data, body)
    except wire.WireError:
        return
    assert isinstance(found.kind, str)
    assert isinstance(found.meta, dict)


def test_a_trickle_does_not_outlive_the_deadline(pair) -> None:
    ours, theirs = pair
    stop = threading.Event()

    def trickle() -> None:
        for byte in frame(head(meta={"pad": "x" * 10_000})):
            if stop.wait(0.02):
                return
            theirs.send(bytes([byte]))

    thread = threading.Thread(target=trickle)
    thread.start()
    started = time.monotonic()
    with pytest.raises(wire.WireError, match="in time"):
        wire.receive(ours, started + 0.5)
    assert time.monotonic() - started < 5
    stop.set()
    thread.join()


def test_a_reader_that_never_reads_does_not_outlive_the_deadline(pair) -> None:
    ours, _ = pair
    started = time.monotonic()
    with pytest.raises(wire.WireError, match="did not read"):
        wire.send(ours, bytes(8 * 2**20), started + 0.5)
    assert time.monotonic() - started < 5


def answer(theirs: socket.socket, *replies: bytes) -> None:
    def serve() -> None:
        for reply in replies:
            wire.receive(theirs, time.monotonic() + 5)
            theirs.sendall(reply)

    threading.Thread(target=serve, daemon=True).start()


def seated(ours: socket.socket) -> Player:
    return Player("candidate", ours, Patience(2.0, time.monotonic() + 60))


def test_an_error_frame_is_a_foul_with_its_text(pair) -> None:
    answer(pair[1], wire.pack("error", 1, {"text": "ValueError: no"}))
    with pytest.raises(Foul, match="ValueError: no"):
        seated(pair[0]).ask("start")


@pytest.mark.parametrize("reply", [("reply", 2), ("verdict", 1), ("reply", 0)])
def test_a_reply_must_carry_the_number_of_its_question(pair, reply: tuple[str, int]) -> None:
    answer(pair[1], wire.pack(*reply))
    with pytest.raises(Foul, match="not reply 1"):
        seated(pair[0]).ask("start")


def test_answers_sent_in_advance_fail_at_the_next_question(pair) -> None:
    answer(pair[1], wire.pack("reply", 1) + wire.pack("reply", 1))
    player = seated(pair[0])
    player.ask("start")
    with pytest.raises(Foul, match="number 1, not reply 2"):
        player.ask("round")


def test_a_foul_of_our_own_player_is_not_the_candidates(pair) -> None:
    pair[1].close()
    with pytest.raises(Foul) as caught:
        Player("starter", pair[0], Patience(2.0, time.monotonic() + 60)).ask("start")
    assert caught.value.player == "starter"


def test_pack_refuses_what_no_frame_carries() -> None:
    with pytest.raises(TypeError, match="dtype"):
        wire.pack("round", 1, None, {"a": np.array([1 + 2j])})
    with pytest.raises(ValueError, match="JSON"):
        wire.pack("round", 1, {"a": float("nan")})
    with pytest.raises(ValueError, match="too large"):
        wire.pack("round", 1, {"a": "x" * wire.HEAD_CAP})
