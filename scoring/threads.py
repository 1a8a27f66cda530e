"""Work in blocks on every core: numpy lets go of the interpreter while it sorts and gathers.

Takes a function of a range of rows, calls it once a block. Every block writes its own rows alone, so a result never
depends on how many threads there are or which finished first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
WORKERS = min(os.cpu_count() or 1, 8)


def in_blocks(work: Callable[[slice], T], rows: int, size: int) -> list[T]:
    """What `work` gave for each slice of `size` of the `rows`, in the order of the rows. One block needs no thread."""
    blocks = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    if len(blocks) < 2 or WORKERS < 2:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, blocks))
