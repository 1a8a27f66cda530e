from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harness.sandbox.docker_stream import HEADER, Frames
from harness.sandbox.output import HeadTail, MarkedStream

CHUNKS = st.lists(st.binary(max_size=40), max_size=30)


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(CHUNKS, st.integers(2, 60))
def test_head_and_tail_are_exact(chunks: list[bytes], cap: int) -> None:
    kept, whole = HeadTail(cap), b"".join(chunks)
    for chunk in chunks:
        kept.feed(chunk)
    half = cap // 2
    assert kept.dropped == max(0, len(whole) - 2 * half)
    expected = (
        whole if not kept.dropped else whole[:half] + b"\n[... %d bytes left out ...]\n" % kept.dropped + whole[-half:]
    )
    assert kept.text() == expected.decode(errors="replace")


@given(st.binary(max_size=200), st.lists(st.integers(0, 1000), max_size=12), st.binary(max_size=9))
def test_the_mark_is_found_however_it_is_cut(output: bytes, places: list[int], after: bytes) -> None:
    stream = MarkedStream("nonce", 10_000)
    for part in _cut(output + b"\x1enonce 0 run\x1e" + after, places):
        stream.feed(part)
    assert stream.mark == "0 run" and stream.text() == output.decode(errors="replace")


@given(st.binary(max_size=200), st.lists(st.integers(0, 1000), max_size=12))
def test_without_a_mark_nothing_is_lost(output: bytes, places: list[int]) -> None:
    stream = MarkedStream("nonce", 10_000)
    for part in _cut(output + b"\x1enon", places):
        stream.feed(part)
    assert stream.mark is None and stream.text() == (output + b"\x1enon").decode(errors="replace")


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=30)), max_size=8), st.lists(st.integers(0, 999)))
def test_frames_are_put_together_however_they_are_cut(sent: list[tuple[int, bytes]], places: list[int]) -> None:
    frames, got = Frames(), {1: b"", 2: b""}
    for part in _cut(b"".join(HEADER.pack(stream, len(data)) + data for stream, data in sent), places):
        for stream, data in frames.feed(part):
            got[stream] += data
    assert got == {n: b"".join(data for stream, data in sent if stream == n) for n in (1, 2)}
