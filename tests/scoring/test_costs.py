"""Prices by day, token classes, and costs that are not known."""

from __future__ import annotations

import pytest

from harness.schema.episode import Usage
from harness.schema.prices import Price, PriceTable, load_prices
from scoring.costs import cost_of
from tests.scoring.builder import GOOD, everywhere, run_bundle

OLD = Price(models=("m", "vendor/m"), since="2025-01-01", input_usd=10.0, output_usd=20.0, source="test")
NEW = Price(models=("m",), since="2026-01-01", input_usd=1.0, output_usd=2.0, cached_usd=0.1, source="test")
TABLE = PriceTable(revised="2026-01-01", prices=(NEW, OLD))


@pytest.mark.parametrize(
    ("model", "day", "found"),
    [
        ("m", "2024-12-31", None),
        ("m", "2025-01-01", OLD),
        ("m", "2025-12-31", OLD),
        ("m", "2026-01-01", NEW),
        ("vendor/m", "2026-06-01", OLD),
        ("M", "2026-06-01", None),
        ("m-mini", "2026-06-01", None),
    ],
)
def test_the_price_in_force(model: str, day: str, found: Price | None) -> None:
    assert TABLE.find(model, day) == found


def test_cached_tokens_are_part_of_the_input_and_reasoning_of_the_output() -> None:
    usage = Usage(input_tokens=1_000_000, cached_tokens=600_000, output_tokens=500_000, reasoning_tokens=400_000)
    assert NEW.cost_usd(usage) == pytest.approx(0.4 * 1 + 0.6 * 0.1 + 0.5 * 2)
    assert OLD.cost_usd(usage) == pytest.approx(10 + 10)


def test_the_days_price_and_the_runs_own() -> None:
    bundle = run_bundle("x", everywhere(GOOD), model="m")
    earlier = bundle.model_copy(update={"entry": bundle.entry.model_copy(update={"date": "2025-06-01"})})
    cost = cost_of(earlier, TABLE, "2026-11-20")
    assert cost.usd_per_episode == pytest.approx(1.2)
    assert cost.run_day_usd_per_episode == pytest.approx(12.0)


def test_no_tokens_is_not_free_but_no_model_is() -> None:
    bundle = run_bundle("x", everywhere(GOOD), model="m")
    silent = tuple(episode.model_copy(update={"usage": Usage()}) for episode in bundle.episodes)
    assert cost_of(bundle.model_copy(update={"episodes": silent}), TABLE, "2026-11-20").usd_per_episode is None
    assert cost_of(run_bundle("x", everywhere(GOOD), model=None), TABLE, "2026-11-20").usd_per_episode == 0.0


def test_the_shipped_table_is_unambiguous() -> None:
    seen = [(model, price.since) for price in load_prices().prices for model in price.models]
    assert len(seen) == len(set(seen))
    assert all(since <= load_prices().revised for _, since in seen)
