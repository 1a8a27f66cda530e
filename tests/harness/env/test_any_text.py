"""Any text is in the space and comes out of shared memory as it went in."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings
from copy import deepcopy

import pytest
from gymnasium.spaces import Text
from gymnasium.vector.utils import batch_space, create_shared_memory, read_from_shared_memory, write_to_shared_memory

from harness.env.any_text import AnyText

TEXTS = ["", "ls -la\n", "é ü 漢字 \x1b[31m \0", "\U0001f3b2" * 100, "a" * 100]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_share_memory(text: str) -> None:
    space = AnyText(100)
    assert text in space
    memory = create_shared_memory(space, n=2, ctx=multiprocessing.get_context("spawn"))
    there = read_from_shared_memory(space, memory, n=2)
    write_to_shared_memory(space, 0, "\U0001f3b2" * 100, memory)
    write_to_shared_memory(space, 1, "before", memory)
    write_to_shared_memory(space, 1, text, memory)
    copied = deepcopy(there)
    write_to_shared_memory(space, 0, "after", memory)
    assert copied == ("\U0001f3b2" * 100, text) and list(there) == ["after", text]


@pytest.mark.parametrize("other", ["a" * 101, "half \ud800", b"bytes", None, 7])
def test_what_is_no_such_text(other: object) -> None:
    assert other not in AnyText(100)


def test_samples_are_in_it_and_follow_the_seed() -> None:
    space, again = AnyText(5), pickle.loads(pickle.dumps(AnyText(5)))
    space.seed(3)
    again.seed(3)
    drawn = [space.sample() for _ in range(50)]
    assert drawn == [again.sample() for _ in range(50)]
    assert all(text in space for text in drawn) and len(set(drawn)) > 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(batch_space(space, 2).sample()[0], str)
    assert isinstance(space, Text)
