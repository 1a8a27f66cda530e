"""How far do two passes of one bfloat16 model differ? Arguments: [positions]. Runs itself in the torch family's python.

A decoder of the starter's kind with random weights claims four windows at once, then gives distributions after bare
prefixes one by one, all under bfloat16 autocast. Prints the differences of the targets' log-probabilities beside what
the audit allows. The spread of the logits (nats) stands for how sure a model is. Asserts nothing.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

STARTER = Path(__file__).resolve().parents[2] / "tasks" / "fineweb-lm" / "starter"
VOCABULARY, WIDTH, HEADS, LENGTH = 4096, 384, 6, 256


def main(positions: str = "300") -> None:
    if importlib.util.find_spec("torch") is None:
        from harness.images import environment

        python = str(environment("torch", print) / "bin" / "python")
        os.execv(python, [python, __file__, positions])
    for layers, spread in ((4, 2.0), (12, 2.0), (12, 3.0)):
        begun = time.monotonic()
        found = differences(layers, spread, int(positions))
        centred = found - found.mean()
        error = found.std() / len(found) ** 0.5
        kurtosis = (centred**4).mean() / found.var() ** 2
        print(f"{layers} layers, spread {spread:g}: sd {found.std():.4f} (tests: 0.03), kurtosis {kurtosis:.1f} (6),")
        print(f"  largest {np.abs(found).max():.3f} (bound 0.5), mean {found.mean():+.4f} +- {error:.4f}", end="")
        print(f"; {time.monotonic() - begun:.0f} s", flush=True)


def differences(layers: int, spread: float, positions: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    import torch

    sys.path.insert(0, str(STARTER))
    import player

    torch.manual_seed(0)
    model = player.Decoder(VOCABULARY, WIDTH, HEADS, layers)
    for block in model.blocks:
        torch.nn.init.normal_(block.mix.weight, std=WIDTH**-0.5)
        torch.nn.init.normal_(block.narrow.weight, std=0.5 * WIDTH**-0.5)
    torch.nn.init.normal_(model.head.weight, std=spread * WIDTH**-0.5)
    random = np.random.default_rng(0)
    sequences = random.integers(0, VOCABULARY, (4, LENGTH + 1))
    # The starter's own autocast is for GPUs.
    player.half = lambda: torch.autocast("cpu", torch.bfloat16)
    claims = player.claims(model.eval(), sequences)
    rows, places = random.integers(0, 4, positions), random.integers(0, LENGTH, positions)
    found = [
        player.next_token(model, sequences[row, : place + 1])[sequences[row, place + 1]]
        for row, place in zip(rows, places, strict=True)
    ]
    return (claims[rows, places] - np.array(found)).astype(np.float64)


if __name__ == "__main__":
    main(*sys.argv[1:])
