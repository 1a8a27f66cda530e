"""The estimate: the published means at a price, within the limits."""

from __future__ import annotations

import pytest

from harness.llm.estimate import Bounds, estimate, published
from harness.schema.prices import Price
from tests.benchmarks.published_usage import table

PRICE = Price(models=("m",), since="2026-01-01", input_usd=1.0, output_usd=10.0, source="test")


def test_the_table_is_what_the_bundles_say() -> None:
    from importlib.resources import files

    assert files("harness.llm").joinpath("published_usage.toml").read_text() == table()


def test_low_likely_high_by_hand() -> None:
    by_hand = sorted((run.input_tokens * 1.0 + run.output_tokens * 10.0) / 1e6 for run in published().runs)
    found = estimate(PRICE, [Bounds(50, 4.0)] * 3, None)
    assert (found.low, found.likely, found.high) == pytest.approx((3 * by_hand[0], 3 * by_hand[2], 3 * by_hand[4]))
    assert found.most == 12.0
    half = estimate(PRICE, [Bounds(25, 4.0)], None)
    assert half.high == pytest.approx(by_hand[4] / 2)


def test_no_estimate_passes_a_limit() -> None:
    assert estimate(PRICE, [Bounds(50, 0.01)] * 2, None).high == pytest.approx(0.02)
    capped = estimate(PRICE, [Bounds(50, 4.0)] * 50, 1.0)
    assert (capped.high, capped.most) == (1.0, 1.0)
