"""Work in blocks on every core: numpy lets go of the interpreter while it sorts and gathers.

Takes a function of a range of rows, calls it once a block. Every block writes its own rows alone, so a result never
depends on how many threads there are or which finished first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
WORKERS = min(os.cpu_count() or 1, 8)


def in_blocks(work: Callable[[slice], T], rows: int, size: int) -> list[T]:
    """What `work` gave for each slice of `size` of the `rows`, in the order of the rows. One block needs no thread."""
    blocks = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    if len(blocks) < 2 or WORKERS < 2:
        return [work(block) for block in blocks]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, blocks))


class InTurn(Executor):
    """Does what it is given at once: two things beside each other need the memory of both."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Done when this returns. What `fn` raises is raised here."""
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def beside(sparing: bool) -> Executor:
    """One thread for what can be done beside something else; with `sparing` it is done before."""
    return InTurn() if sparing else ThreadPoolExecutor(1)
