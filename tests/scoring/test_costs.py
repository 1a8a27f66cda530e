"""Prices by day, token classes, and costs that are not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.schema.bundle import Bundle
from harness.schema.episode import Usage
from harness.schema.prices import Price, PriceTable, load_prices
from scoring.boards import price_frame
from scoring.facts.read import read_facts
from scoring.tables import SEEDS, choose, frame, replace_relation
from scoring.yardstick import load_season, season_yardstick
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


def costs(folder: Path, bundle: Bundle, day: str = "2026-11-20") -> dict[str, Any]:
    """What the SQL says of one previewed bundle on the season's tasks, at the prices of TABLE."""
    (folder / "bundle.json").write_bytes(bundle.canonical())
    facts = read_facts(folder / "no-board", unpublished=[folder])
    choose(facts.db, [0], season_yardstick(load_season("season-0")))
    replace_relation(facts.db, "prices", price_frame(TABLE))
    [row] = frame(facts.db, "costs", seeds=SEEDS, day=day).to_dicts()
    return row


def test_the_days_price_and_the_runs_own(tmp_path: Path) -> None:
    bundle = run_bundle("x", everywhere(GOOD), model="m")
    earlier = bundle.model_copy(update={"entry": bundle.entry.model_copy(update={"date": "2025-06-01"})})
    row = costs(tmp_path, earlier)
    assert row["usd_per_episode"] == pytest.approx(1.2)
    assert row["run_day_usd_per_episode"] == pytest.approx(12.0)
    assert (row["since"], row["priced_episodes"]) == ("2026-01-01", 20)
    assert costs(tmp_path, earlier, day="2025-12-31")["usd_per_episode"] == pytest.approx(12.0)
    assert costs(tmp_path, earlier, day="2024-12-31")["usd_per_episode"] is None


def test_sql_and_the_price_record_agree(tmp_path: Path) -> None:
    usage = Usage(
        input_tokens=900_001, cached_tokens=300_007, cache_write_tokens=11, output_tokens=70_003, reasoning_tokens=5,
        api_calls=3, reported_cost_usd=0.25,
    )  # fmt: skip
    bundle = run_bundle("x", everywhere(GOOD), model="m")
    episodes = tuple(episode.model_copy(update={"usage": usage}) for episode in bundle.episodes)
    row = costs(tmp_path, bundle.model_copy(update={"episodes": episodes}))
    assert row["usd_per_episode"] == pytest.approx(NEW.cost_usd(usage), rel=1e-12)
    assert row["reported_usd_per_episode"] == 0.25
    assert row["input_tokens"] == 20 * 900_001


def test_no_tokens_is_not_free_but_no_model_is(tmp_path: Path) -> None:
    bundle = run_bundle("x", everywhere(GOOD), model="m")
    silent = tuple(episode.model_copy(update={"usage": Usage()}) for episode in bundle.episodes)
    row = costs(tmp_path, bundle.model_copy(update={"episodes": silent}))
    assert (row["usd_per_episode"], row["words"]) == (None, "no token counts")
    row = costs(tmp_path, run_bundle("x", everywhere(GOOD), model="unheard-of"))
    assert (row["usd_per_episode"], row["words"]) == (None, "no price is known for unheard-of")
    row = costs(tmp_path, run_bundle("x", everywhere(GOOD), model=None))
    assert (row["usd_per_episode"], row["words"]) == (0.0, "calls no model")


def test_the_shipped_table_is_unambiguous() -> None:
    seen = [(model, price.since) for price in load_prices().prices for model in price.models]
    assert len(seen) == len(set(seen))
    assert all(since <= load_prices().revised for _, since in seen)
