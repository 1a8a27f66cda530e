"""What a run will cost, before it starts: low, likely and high, from what published runs used and today's price.

Takes a price and the limits of each episode, gives USD. Low is a model as frugal as the most frugal of the published
ones, likely the middle one, high the most lavish; none passes the limits. Never a promise: no model's own habits are
known before it runs, and a prompt cache makes it cheaper.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import Field

from harness.schema.base import Line, Record
from harness.schema.episode import Count, Usage
from harness.schema.prices import Price


class PublishedRun(Record):
    """Mean tokens of an episode of one published entry."""

    entry: Line
    episodes: Count
    input_tokens: Count
    output_tokens: Count


class PublishedUsage(Record):
    """published_usage.toml; `steps`: the most that an episode could take."""

    steps: int = Field(gt=0)
    runs: tuple[PublishedRun, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Bounds:
    """The limits of one episode: steps, and USD."""

    steps: int
    cost_usd: float


@dataclass(frozen=True)
class Estimate:
    """USD. `most`: what the limits allow."""

    low: float
    likely: float
    high: float
    most: float

    def __str__(self) -> str:
        return f"${self.low:.2f} to ${self.high:.2f}, likely ${self.likely:.2f}; the limits allow ${self.most:.2f}"


def estimate(price: Price, episodes: Sequence[Bounds], run_limit_usd: float | None) -> Estimate:
    """The cost of these episodes. Tokens grow with the steps that an episode may take."""
    known = published()
    each = sorted(
        price.cost_usd(Usage(input_tokens=run.input_tokens, output_tokens=run.output_tokens)) for run in known.runs
    )
    cap = float("inf") if run_limit_usd is None else run_limit_usd

    def total(usd: float) -> float:
        return min(cap, sum(min(one.cost_usd, usd * one.steps / known.steps) for one in episodes))

    most = min(cap, sum(one.cost_usd for one in episodes))
    return Estimate(total(each[0]), total(statistics.median(each)), total(each[-1]), most)


@cache
def published() -> PublishedUsage:
    """The table that ships with the package."""
    text = files("harness.llm").joinpath("published_usage.toml").read_text(encoding="utf-8")
    return PublishedUsage.from_toml(text, subject="published_usage.toml")
