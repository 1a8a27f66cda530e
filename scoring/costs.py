"""What an entry costs: tokens times dated prices, kept apart from what the run itself reported.

Takes a bundle, a price table and a day, gives a Cost. A model without a price is None, never 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.schema.base import Record
from harness.schema.bundle import Bundle
from harness.schema.episode import Usage
from harness.schema.prices import Price, PriceTable

CostSource = Literal["recomputed", "unknown"]


class Cost(Record):
    """USD an episode. `usd_per_episode` None: no price is known; it is never 0 for that reason."""

    usd_per_episode: float | None = Field(description="in the prices of the board's day")
    source: CostSource
    words: str = Field(description="how the cost is known")
    run_day_usd_per_episode: float | None = Field(default=None, description="in the prices of the run's own day")
    reported_usd_per_episode: float | None = Field(default=None, description="what the run itself recorded")


def cost_of(bundle: Bundle, table: PriceTable, day: str) -> Cost:
    """USD an episode in the prices of `day` (the board's) and of the run's own day, over the episodes with usage."""
    if bundle.entry.model is None:
        return _cost(0.0, 0.0, None, "recomputed", "calls no model")
    used = [episode.usage for episode in bundle.episodes if episode.usage.api_calls or episode.usage.input_tokens]
    price = table.find(bundle.entry.model, day)
    own_day = table.find(bundle.entry.model, bundle.entry.date)
    reported = _reported(used)
    if not used:
        return _cost(None, None, None, "unknown", "no token counts")
    if price is None:
        return _cost(None, _mean(used, own_day), reported, "unknown", f"no price is known for {bundle.entry.model}")
    words = (
        f"tokens of {len(used)} episodes at {price.input_usd:g}/{price.output_usd:g} USD per million ({price.since})"
    )
    return _cost(_mean(used, price), _mean(used, own_day), reported, "recomputed", words)


def _mean(used: list[Usage], price: Price | None) -> float | None:
    return None if price is None else sum(map(price.cost_usd, used)) / len(used)


def _reported(used: list[Usage]) -> float | None:
    sums = [usage.reported_cost_usd for usage in used if usage.reported_cost_usd is not None]
    return sum(sums) / len(sums) if sums else None


def _cost(usd: float | None, own_day: float | None, reported: float | None, source: str, words: str) -> Cost:
    return Cost.model_validate(
        {
            "usd_per_episode": usd,
            "run_day_usd_per_episode": own_day,
            "reported_usd_per_episode": reported,
            "source": source,
            "words": words,
        }
    )
