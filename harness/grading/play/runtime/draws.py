"""Random numbers that the player cannot know: every draw is SHAKE-256 of the seed, the stream's name and a call number.

Takes 32 secret bytes, gives numpy arrays that are the same on every machine; never uses a shared random state. Block
i of a stream is SHAKE-256(seed || name in UTF-8 || 0x00 || i as u64 little-endian), eight bytes a number (FIPS 202).
"""

from __future__ import annotations

import hashlib
from math import prod

import numpy as np
import numpy.typing as npt


class Draws:
    """One named stream. Every call takes the next block, whatever the sizes of the earlier ones."""

    def __init__(self, seed: bytes, name: str) -> None:
        self._prefix = seed + name.encode() + b"\0"
        self._index = 0

    def words(self, *shape: int) -> npt.NDArray[np.uint64]:
        """Uniform 64-bit words."""
        block = hashlib.shake_256(self._prefix + self._index.to_bytes(8, "little"))
        self._index += 1
        return np.frombuffer(block.digest(8 * prod(shape)), "<u8").reshape(shape)

    def uniform(self, *shape: int) -> npt.NDArray[np.float64]:
        """Uniform on [0, 1), 53 bits each."""
        return (self.words(*shape) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, low: int, high: int, *shape: int) -> npt.NDArray[np.int64]:
        """Uniform on low..high, both included (bias below 1e-9 while the range is below a million)."""
        offset: npt.NDArray[np.int64] = np.floor(self.uniform(*shape) * (high - low + 1)).astype(np.int64)
        return offset + low
