"""The baseline: trains the decoder of player.py on $GYMBOARD_DATA/train-*.bin, writes model.safetensors.

Batches are cut from the shards in their order. GYMBOARD_<NAME> gives the model's shape and the length of the run.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from muon import Muon
from player import DEVICE, Decoder, half
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

NAMES = ("vocabulary", "width", "heads", "layers", "sequence", "batch", "micro_batch", "iterations", "warm_down")
P = {name: int(os.environ[f"GYMBOARD_{name.upper()}"]) for name in NAMES}
HEADER_BYTES = 1024


def batches(folder: Path) -> Iterator[Tensor]:
    """(batch, sequence + 1) tokens, shard after shard, for ever."""
    step = P["batch"] * P["sequence"]
    while True:
        for path in sorted(folder.glob("train-*.bin")):
            shard = np.memmap(path, "<u2", "r", offset=HEADER_BYTES)
            for begin in range(0, len(shard) - step, step):
                chunk = torch.from_numpy(shard[begin : begin + step + 1].astype(np.int64))
                yield torch.stack([chunk[i : i + P["sequence"] + 1] for i in range(0, step, P["sequence"])])


def gradients(model: Decoder, tokens: Tensor) -> float:
    """Add up the gradients of one batch, a few sequences at a time; gives its mean loss."""
    total = 0.0
    for rows in tokens.to(DEVICE).split(P["micro_batch"]):
        with half():
            logits = model(rows[:, :-1])
        loss = functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten()) * len(rows) / len(tokens)
        loss.backward()
        total += loss.item()
    return total


def main() -> None:
    torch.manual_seed(int(os.environ.get("GYMBOARD_EPISODE_SEED", "0")))
    shape = {name: P[name] for name in ("vocabulary", "width", "heads", "layers")}
    model = Decoder(**shape).to(DEVICE)
    matrices = list(model.blocks.parameters())
    optimizers = [
        torch.optim.Adam([model.embedding.weight], lr=0.3, betas=(0.9, 0.95)),
        torch.optim.Adam([model.head.weight], lr=0.002, betas=(0.9, 0.95)),
        Muon(matrices, lr=0.02, momentum=0.95),
    ]
    # The warm-down is longer than the run: the factor starts below 1 and falls to 0.
    falling = [
        torch.optim.lr_scheduler.LambdaLR(one, lambda step: min(1.0, (P["iterations"] - step) / P["warm_down"]))
        for one in optimizers
    ]
    begun = time.monotonic()
    stream = batches(Path(os.environ["GYMBOARD_DATA"]))
    for step in range(P["iterations"]):
        loss = gradients(model, next(stream))
        for one in (*optimizers, *falling):
            one.step()
        model.zero_grad(set_to_none=True)
        if step % 10 == 9 or step + 1 == P["iterations"]:
            print(f"step {step + 1}  train loss {loss:.4f}  {time.monotonic() - begun:.1f} s", flush=True)
    weights = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, "model.safetensors", {name: str(size) for name, size in shape.items()})


if __name__ == "__main__":
    main()
