"""A gymnasium space of texts over all of Unicode, up to a length; gymnasium's own Text lists every character it allows.

Takes any value, says whether it is in; goes through the shared memory of AsyncVectorEnv as UTF-8. Samples are short and
printable ASCII: a random text is no use to anyone, and this one is at least readable.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from gymnasium.error import Error
from gymnasium.spaces import Text
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory
from numpy.typing import NDArray

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import SynchronizedArray

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
    def is_np_flattenable(self) -> bool:
        """Not as indexes into a character set."""
        return False

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
    np.frombuffer(memoryview(shared_memory.get_obj()), dtype=np.uint8)[begin : begin + len(stored)] = stored


@read_from_shared_memory.register(AnyText)
def _read(space: AnyText, shared_memory: SynchronizedArray[int], n: int = 1) -> Sequence[str]:
    """AsyncVectorEnv asks once, before anything is written, and copies what it got at every step."""
    return _Live(np.frombuffer(memoryview(shared_memory.get_obj()), dtype=np.uint8).reshape(n, space.stored_bytes))


class _Live(Sequence[str]):
    """The texts that are in the memory at this moment; a deep copy is a tuple of them."""

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return tuple(self)[index]
        row = self._rows[index]
        length = int.from_bytes(row[:LENGTH_BYTES].tobytes(), "big")
        data: bytes = row[LENGTH_BYTES : LENGTH_BYTES + length].tobytes()
        return data.decode()

    def __deepcopy__(self, memo: object) -> tuple[str, ...]:
        return tuple(self)
