"""Rank and publish: turns verified bundles into a board. Never runs anything an agent wrote."""

from __future__ import annotations

import os

# Read once, when polars is imported: what it frees goes back to the system at once instead of staying with the process.
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
