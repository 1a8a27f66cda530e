"""A gymnasium space of texts over all of Unicode, up to a length; gymnasium's own Text lists every character it allows.

Takes any value, says whether it is in; goes through the shared memory of AsyncVectorEnv as UTF-8. Samples are short and
printable ASCII: a random text is no use to anyone, and this one is at least readable.
"""

from __future__ import annotations

import string
from multiprocessing.sharedctypes import SynchronizedArray
from types import ModuleType
from typing import Any

import numpy as np
from gymnasium.error import Error
from gymnasium.spaces import Text
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

SAMPLE_CHARS = 64
LENGTH_BYTES = 4
ASCII = string.digits + string.ascii_letters + string.punctuation + " \n"


class AnyText(Text):
    """Every text that UTF-8 can hold, of at most `max_length` characters, the empty one included."""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=ASCII)

    def contains(self, x: Any) -> bool:
        """Any text that is not too long and holds no lone surrogate."""
        return isinstance(x, str) and len(x) <= self.max_length and sayable(x)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """At most SAMPLE_CHARS characters of printable ASCII."""
        if mask is not None or probability is not None:
            raise Error("a text over all of Unicode is sampled without mask and probability")
        length = self.np_random.integers(0, min(SAMPLE_CHARS, self.max_length) + 1)
        return "".join(self.np_random.choice(list(ASCII), size=length))

    @property
    def stored_bytes(self) -> int:
        """What one text takes in shared memory: its length, and four bytes a character."""
        return LENGTH_BYTES + 4 * self.max_length

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"


def sayable(text: str) -> bool:
    """Whether UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@create_shared_memory.register(AnyText)
def _create(space: AnyText, n: int, ctx: ModuleType) -> SynchronizedArray[int]:
    array: SynchronizedArray[int] = ctx.Array("B", n * space.stored_bytes)
    return array


@write_to_shared_memory.register(AnyText)
def _write(space: AnyText, index: int, value: str, shared_memory: SynchronizedArray[int]) -> None:
    data = value.encode()
    begin = index * space.stored_bytes
    stored = np.frombuffer(len(data).to_bytes(LENGTH_BYTES, "big") + data, dtype=np.uint8)
    np.frombuffer(shared_memory.get_obj(), dtype=np.uint8)[begin : begin + len(stored)] = stored


@read_from_shared_memory.register(AnyText)
def _read(space: AnyText, shared_memory: SynchronizedArray[int], n: int = 1) -> tuple[str, ...]:
    rows = np.frombuffer(shared_memory.get_obj(), dtype=np.uint8).reshape(n, space.stored_bytes)
    lengths = [int.from_bytes(row[:LENGTH_BYTES].tobytes(), "big") for row in rows]
    return tuple(
        row[LENGTH_BYTES : LENGTH_BYTES + length].tobytes().decode() for row, length in zip(rows, lengths, strict=True)
    )
