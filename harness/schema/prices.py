"""Dated prices of models: prices.toml -> what a number of tokens costs, or None.

Takes a model name, a day and token counts. One table serves the limits of a run and the costs on the board. Never
guesses: a model that the table does not name by that exact name has no price, and None is not 0.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import Field

from harness.schema.base import Day, Record
from harness.schema.episode import Usage

_MILLION = 1_000_000


class Price(Record):
    """USD per million tokens from a day on. Without a cached or cache-write price those tokens cost as input."""

    models: tuple[str, ...] = Field(min_length=1, description="every name under which a bundle may call it")
    since: Day
    input_usd: float = Field(ge=0)
    output_usd: float = Field(ge=0)
    cached_usd: float | None = Field(default=None, ge=0)
    cache_write_usd: float | None = Field(default=None, ge=0)
    source: str

    def cost_usd(self, usage: Usage) -> float:
        """Input counts include cached and cache-write tokens, output counts include reasoning tokens."""
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        cached = self.input_usd if self.cached_usd is None else self.cached_usd
        written = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        parts = (
            plain * self.input_usd,
            usage.cached_tokens * cached,
            usage.cache_write_tokens * written,
            usage.output_tokens * self.output_usd,
        )
        return sum(parts) / _MILLION


class PriceTable(Record):
    """Every price known, with the day on which the table was last revised."""

    revised: Day
    prices: tuple[Price, ...]

    def find(self, model: str, day: str) -> Price | None:
        """The price of `model` in force on `day` (YYYY-MM-DD), or None when the table does not know one."""
        known = [price for price in self.prices if model in price.models and price.since <= day]
        return max(known, key=lambda price: price.since, default=None)


@cache
def load_prices() -> PriceTable:
    """The table that ships with the package."""
    return PriceTable.from_toml(price_bytes().decode(), subject="prices.toml")


def price_bytes() -> bytes:
    """The bytes of prices.toml, for the digest of the board's data."""
    return files("harness.schema").joinpath("prices.toml").read_bytes()
