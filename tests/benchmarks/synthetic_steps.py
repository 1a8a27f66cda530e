"""The inside of gpu_steps.py: one starter at official shapes on synthetic data, stopped after a few steps.

Takes a task and a working folder that holds its starter; gives a row for each part of the official run: how many steps
it has, the median seconds of one, and the peak of GPU memory. Runs in the python of the task's image family.
"""

from __future__ import annotations

import os
import runpy
import statistics
import sys
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import synthetic_inputs as made

TASKS = Path(__file__).resolve().parents[2] / "tasks"
JAX = ("breakout", "meta-maze", "mountain-car")
WARM = 2
"""Steps that are not counted: compilation, first allocations."""


class Enough(Exception):
    """The starter made the steps that were asked for."""


class Clock:
    """Times of the steps of one part, each taken when the device has finished: wall on a GPU, CPU seconds without."""

    def __init__(self, steps: int, synchronise: Callable[[], None], device: str) -> None:
        self.times: list[float] = []
        self._now = time.perf_counter if device == "gpu" else time.process_time
        self._wanted, self._synchronise = steps + WARM + 1, synchronise

    def tick(self, *, last: bool = True) -> None:
        """One step has ended. Raises Enough when it was the last one wanted."""
        self._synchronise()
        self.times.append(self._now())
        if last and len(self.times) >= self._wanted:
            raise Enough

    def seconds(self) -> float:
        """Median seconds a step, without the first ones."""
        gaps = [after - before for before, after in pairwise(self.times)]
        return statistics.median(gaps[min(WARM, len(gaps) - 1) :])


def official(task: str) -> dict[str, Any]:
    return tomllib.loads((TASKS / task / "task.toml").read_text())["profiles"]["official"].get("params", {})


def inside(task: str, device: str, tiny: bool, steps: int) -> list[dict[str, Any]]:
    """Run one starter in this process, whose working folder holds it. Gives a row for each of its parts."""
    sys.path.insert(0, str(Path.cwd()))
    return (jax_parts if task in JAX else torch_parts)(task, device, tiny, steps)


@dataclass(frozen=True)
class Size:
    """How much data the steps need. `wanted` steps are made at most."""

    wanted: int
    tiny: bool


Part = tuple[str, int]
"""What one step of it is, and how many there are in the official run."""


def pictures(shape: tuple[int, ...], train: int) -> Callable[[Path, Size], list[Part]]:
    def prepare(data: Path, size: Size) -> list[Part]:
        made.images(data, shape, 64 * (size.wanted + 8) if size.tiny else train, 64)
        chosen_from = train - int(0.04 * train)  # 4 % choose the epoch
        return [("a training step: 64 images", 10 * -(-chosen_from // 64))]

    return prepare


def pairs(data: Path, size: Size) -> list[Part]:
    made.pairs(data, 32 * size.wanted, 32, size.tiny)
    return [("a training step: 32 pairs of 128 tokens", -(-(392_702 - 9_815) // 32))]


def captions(data: Path, size: Size) -> list[Part]:
    batch, words, pixels = (4, 50, (60, 40)) if size.tiny else (128, 10_000, (640, 480))
    os.environ |= {"GYMBOARD_BATCH": str(batch)} | ({"GYMBOARD_SIDE": "32"} if size.tiny else {})
    made.captions(data, batch * size.wanted, batch, words, pixels, weights=not size.tiny)
    encoded = "a batch of the frozen encoder: 128 pictures of 640 x 480, read from JPEG"
    return [(encoded, -(-118_287 // 128) + -(-5_000 // 128)), ("a training step: 128 captions", 2 * -(-118_287 // 128))]


def text(data: Path, size: Size) -> list[Part]:
    params = decoder(size.tiny)
    os.environ |= {f"GYMBOARD_{name.upper()}": str(value) for name, value in params.items()}
    count = params["batch"] * params["sequence"] * size.wanted + 2
    made.tokens(data, count, min(params["vocabulary"], 50_257))
    return [("a training step: 64 sequences of 1,024 tokens", params["iterations"])]


def decoder(tiny: bool) -> dict[str, Any]:
    small = {"vocabulary": 64, "width": 32, "heads": 2, "layers": 1, "sequence": 16, "batch": 4, "micro_batch": 2}
    return official("fineweb-lm") | (small if tiny else {})


TORCH: dict[str, Callable[[Path, Size], list[Part]]] = {
    "cifar10": pictures((32, 32, 3), 45_000),
    "fashion-mnist": pictures((28, 28), 54_000),
    "mnli": pairs,
    "coco-captioning": captions,
    "fineweb-lm": text,
}


def torch_parts(task: str, device: str, tiny: bool, steps: int) -> list[dict[str, Any]]:
    import torch
    from torch.nn.modules.module import register_module_forward_hook
    from torch.optim.optimizer import register_optimizer_step_post_hook

    data = Path.cwd() / "data"
    data.mkdir()
    os.environ["GYMBOARD_DATA"] = str(data)
    parts = TORCH[task](data, Size(steps + WARM + 2, tiny))
    synchronise = torch.cuda.synchronize if device == "gpu" else lambda: None
    encoding, training = Clock(steps, synchronise, device), Clock(steps, synchronise, device)
    first: list[Any] = []

    def stepped(optimizer: Any, *_: Any) -> None:
        first[:] = first or [optimizer]
        if optimizer is first[0]:  # fineweb-lm has three, stepped one after the other
            training.tick()

    def forwarded(module: Any, *_: Any) -> None:
        if type(module).__name__ in ("ResNet50", "Small"):
            encoding.tick(last=False)

    register_optimizer_step_post_hook(stepped)
    register_module_forward_hook(forwarded)
    with suppress(Enough):
        runpy.run_path("baseline.py", run_name="__main__")
    peak = torch.cuda.max_memory_reserved() / 2**20 if device == "gpu" else None
    clocks = [encoding, training][-len(parts) :]
    rows = [row(*part, clock.seconds(), peak) for part, clock in zip(parts, clocks, strict=True)]
    return rows + (claims_parts(decoder(tiny), synchronise, steps, device) if task == "fineweb-lm" else [])


def claims_parts(
    params: dict[str, Any], synchronise: Callable[[], None], steps: int, device: str
) -> list[dict[str, Any]]:
    """The player's side of a grade: claims of one window, and the distribution after one bare prefix."""
    import numpy as np
    import player
    import torch

    torch.cuda.empty_cache()
    if device == "gpu":
        torch.cuda.reset_peak_memory_stats()
    shape = {name: params[name] for name in ("vocabulary", "width", "heads", "layers")}
    model = player.Decoder(**shape).to(player.DEVICE).eval()
    window = np.random.default_rng(0).integers(0, min(params["vocabulary"], 50_257), (1, params["sequence"] + 1))
    found = []
    for part, ask, count in (
        ("a graded window: claims of 1,024 targets", lambda: player.claims(model, window), params["grade_windows"]),
        ("an audited prefix of 1,024 tokens", lambda: player.next_token(model, window[0, :-1]), params["audits"]),
    ):
        clock = Clock(steps, synchronise, device)
        for _ in range(steps + WARM + 1):
            ask()
            clock.tick(last=False)
        peak = torch.cuda.max_memory_reserved() / 2**20 if device == "gpu" else None
        found.append(row(part, count, clock.seconds(), peak))
    return found


def jax_parts(task: str, device: str, tiny: bool, steps: int) -> list[dict[str, Any]]:
    params = official(task) | ({"train_environments": 8} if tiny else {})
    os.environ |= {f"GYMBOARD_{name.upper()}": str(value) for name, value in params.items()}
    import jax
    import ppo
    from baseline import CONFIG

    clock = Clock(steps, lambda: None, device)

    def timed(begin: Any, update: Any, keys: Any, updates: int, name: str) -> Any:
        state = begin(keys)
        for _ in range(updates):
            state = jax.block_until_ready(update(state))
            clock.tick()

    ppo.run = timed
    with suppress(Enough):
        ppo.train(CONFIG)
    updates = CONFIG.steps // (CONFIG.environments * CONFIG.rollout)
    together = device == "gpu"
    peak = jax.local_devices()[0].memory_stats()["peak_bytes_in_use"] / 2**20 if together else None
    collected = CONFIG.environments * CONFIG.rollout
    whose = f"of all {CONFIG.checkpoints} checkpoints at once" if together else "of one checkpoint"
    part = f"an update {whose}: {collected:,} environment steps each"
    return [row(part, updates if together else updates * CONFIG.checkpoints, clock.seconds(), peak)]


def row(part: str, steps: int, seconds: float, peak_mib: float | None) -> dict[str, Any]:
    return {"part": part, "steps": steps, "seconds_per_step": float(f"{seconds:.3g}"), "peak_gpu_mib": peak_mib}
