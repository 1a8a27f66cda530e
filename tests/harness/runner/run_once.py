"""Runs and episodes in processes of their own, forked from one that has imported everything: to be killed, or to share
one spending file.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.llm.provider import library
from harness.runner.manifest import begun_on
from harness.runner.run import RunPlan, place_of, run_episode, run_episodes
from harness.sandbox import open_engine
from harness.schema.prices import Price
from harness.schema.task import tasks_root
from tests.servers.asker import Asker

PRICE = Price(models=("openai/scripted",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")
TASK = "colonel-blotto"


def models(url: str, folder: Path, limit_usd: float | None = None) -> Models:
    """The scripted model, priced."""
    plan = ModelPlan("openai/scripted", url, price=PRICE, max_output_tokens=200, run_cost_usd=limit_usd)
    return Models(plan, folder, begun_on(folder))


def forked(target: Callable[..., None], *words: Any) -> BaseProcess:
    """`target` in a process of its own, begun."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=target, args=words)
    process.start()
    return process


def whole_run(url: str, folder: Path, seeds: int) -> None:
    """A run as `gymboard run --resume` does it; exit code 1 when an episode is not finished."""
    plan = RunPlan(
        "killed",
        folder,
        [TASK],
        tasks_root(),
        range(seeds),
        "smoke",
        lambda place, seed: Asker(),
        models=models(url, folder),
    )
    with open_engine("local") as engine:
        sys.exit(not all(one.episode for one in run_episodes(plan, engine)))


def one_episode(url: str, folder: Path, seed: int, limit_usd: float) -> None:
    """One episode of a run whose other episodes are played by other processes."""
    with open_engine("local") as engine:
        place = place_of(tasks_root() / TASK, "smoke", engine, None)
        run_episode(place, Asker(), seed, folder / TASK / f"seed-{seed}", models=models(url, folder, limit_usd))


library()  # once, for every process forked from here
