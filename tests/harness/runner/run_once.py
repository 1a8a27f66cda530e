"""A whole run in a process of its own, to be killed: python -m tests.harness.runner.run_once URL FOLDER SEEDS [LIMIT]."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.runner.run import RunPlan, begun_on, run_episodes
from harness.sandbox import open_engine
from harness.schema.prices import Price
from harness.schema.task import tasks_root
from tests.servers.asker import Asker

PRICE = Price(models=("openai/scripted",), since="2026-01-01", input_usd=3.0, output_usd=15.0, source="test")


def models(url: str, folder: Path, limit_usd: float | None = None) -> Models:
    """The scripted model, priced."""
    plan = ModelPlan("openai/scripted", url, price=PRICE, max_output_tokens=200, run_cost_usd=limit_usd)
    return Models(plan, folder, begun_on(folder))


def main(url: str, folder: Path, seeds: list[int], limit_usd: float | None) -> int:
    plan = RunPlan(
        "killed",
        folder,
        ["colonel-blotto"],
        tasks_root(),
        seeds,
        "smoke",
        lambda place, seed: Asker(),
        models=models(url, folder, limit_usd),
    )
    with open_engine("local") as engine:
        ended = list(run_episodes(plan, engine))
    for one in ended:
        print(one.key, one.episode.exit_status if one.episode else one.failure)
    return 0 if all(one.episode for one in ended) else 1


if __name__ == "__main__":
    address, where, numbers, *limit = sys.argv[1:]
    sys.exit(main(address, Path(where), [int(n) for n in numbers.split(",")], float(limit[0]) if limit else None))
