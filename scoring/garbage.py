"""The collector of cycles kept from looking where there is nothing to find: it costs half the time of making records.

Takes a stretch of work, leaves the collector as it was. Never changes what anything gives.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def without_gc() -> Iterator[None]:
    """For work that makes records or text of them, which hold no cycles."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def set_aside() -> Iterator[None]:
    """For work beside much that stays: what is there now is not looked at again, what is new is."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
