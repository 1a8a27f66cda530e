"""Token shards: 256 int32 header words (magic 20240520, version 1, number of tokens, zeros), then uint16 tokens.

Takes a file, gives the tokens; raises ValueError when the file is not one. Source of the layout: the FineWeb-10B
GPT-2 shards of kjj0/fineweb10B-gpt2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

WORDS = 256
MAGIC, VERSION = 20240520, 1


def read_shard(path: Path) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Every token of the file, mapped and read-only."""
    header = np.fromfile(path, "<i4", WORDS)
    if len(header) < WORDS or (header[0], header[1]) != (MAGIC, VERSION):
        raise ValueError(f"{path.name} is no token shard (magic {header[:2].tolist()})")
    tokens = np.memmap(path, "<u2", "r", offset=4 * WORDS)
    if len(tokens) != header[2]:
        raise ValueError(f"{path.name} announces {header[2]} tokens and holds {len(tokens)}")
    return tokens
