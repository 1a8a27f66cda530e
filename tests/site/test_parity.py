"""What a browser ranks against what the scorer ranks: random boards under random settings, to 1e-9, in Chromium."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.schema.prices import Price, PriceTable, load_prices
from scoring.boards import Ranking, rank
from scoring.build import Built, build
from scoring.ledger import LEVELS
from scoring.plan import Plan
from scoring.profiles import contributions, fixed_scale
from scoring.publish.scores import board_tree, placed
from scoring.records import board_record
from scoring.stats import best_of_picks, by_merit
from scoring.tables import Grid, Looks
from scoring.vocabulary import BASELINE
from scoring.yardstick import Season
from tests.benchmarks.synthetic import write_board, write_season
from tests.site.browser import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
MODULES = Path(__file__).resolve().parents[2] / "site" / "docs" / "assets" / "js"
BOARDS, SETTINGS = 4, 12
ASK = """async ([board, all]) => {
  const { measure } = await import("./score.js");
  const unknown = (value) => (value === undefined || value !== value ? null : value);
  const words = JSON.stringify(board);
  const read = JSON.parse(words, (_, value) => value ?? NaN);
  return all.map((one) => {
    const { tau, rows } = measure(read, { ...one, tau: one.tau ?? NaN });
    return [tau, rows.map((r) => [r.row.id, unknown(r.aup), unknown(r.rank), unknown(r.cost), r.frontier === true])];
  });
}"""


@contextmanager
def module_page(browser: Browser, folder: Path) -> Iterator[Page]:
    """A page that can import the site's modules."""
    shutil.copytree(MODULES, folder / "js", dirs_exist_ok=True)
    (folder / "js" / "index.html").write_text("<!doctype html><title>modules</title>", encoding="utf-8")
    with served(folder / "js") as address:
        page = browser.new_page()
        page.goto(f"{address}/index.html")
        yield page
        page.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("parity")
    write_board(folder / "submissions", 40, 11, published=9)
    write_season(folder / "season.toml")
    season = Season.from_toml((folder / "season.toml").read_text(encoding="utf-8"))
    with build(folder / "submissions", season=season, readings=("season", "live")) as one:
        yield one


def spoiled(plan: Plan, draw: random.Random) -> Plan:
    """The same plan over values that a board may meet: none, zero, negative, tied, exactly at a yardstick."""
    rules = plan.yard.rules

    def change(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        values = values.copy()
        for place in np.ndindex(values.shape):
            odd = [math.nan, 0.0, -0.5, values[0, place[1], 0], rules[place[1]].baseline, rules[place[1]].reference]
            if draw.random() < 0.15:
                pick = draw.choice(odd)
                values[place] = math.nan if pick is None else pick
        return values

    grid = Grid(plan.grid.entries, change(plan.grid.best), change(plan.grid.last))
    if draw.random() < 0.3:  # two of them alike: a tie
        grid.best[1], grid.last[1] = grid.best[0], grid.last[0]
    return replace(plan, grid=grid)


def drawn_settings(plan: Plan, level: dict[str, int], models: list[str], draw: random.Random) -> dict[str, Any]:
    tasks = list(plan.yard.tasks)
    prices = {}
    for model in draw.sample(models, draw.randint(0, min(3, len(models)))):
        prices[model] = [round(draw.uniform(0, 20), draw.randint(0, 4)) for _ in range(4)]
    return {
        "column": draw.choice(("best", "last")),
        "drop": draw.sample(tasks, draw.choice((0, 0, 1, 3, len(tasks) - 1))),
        "tau": draw.choice((None, None, 0.25, draw.uniform(0.01, 4.0), 100.0)),
        "level": draw.choice((0, 0, *sorted(set(level.values())))),
        "prices": prices,
    }


def asked(plan: Plan, settings: dict[str, Any], level: dict[str, int]) -> Plan:
    """The scorer's own plan for those settings."""
    keep = [at for at, task in enumerate(plan.yard.tasks) if task not in settings["drop"]]
    who = [at for at, name in enumerate(plan.grid.entries) if level[name] >= settings["level"]]
    cut = np.ix_(who, keep)
    yard = plan.yard.only(plan.yard.tasks[at] for at in keep)
    changed = tuple(
        Price(
            models=(model,),
            since=plan.prices_day,
            source="a reader",
            **dict(zip(("input_usd", "output_usd", "cached_usd", "cache_write_usd"), figures, strict=True)),
        )
        for model, figures in settings["prices"].items()
    )
    table = load_prices()
    others = tuple(
        price.model_copy(update={"models": tuple(m for m in price.models if m not in settings["prices"]) or ("none",)})
        for price in table.prices
    )
    return replace(
        plan,
        yard=yard if settings["tau"] is None else replace(yard, tau_max=settings["tau"]),
        chosen=[plan.chosen[at] for at in who],
        grid=Grid(tuple(plan.grid.entries[at] for at in who), plan.grid.best[cut], plan.grid.last[cut]),
        looks=Looks(plan.looks.told[cut], plan.looks.calls[cut], plan.looks.valid[cut]),
        prices=PriceTable(revised=table.revised, prices=(*others, *changed)),
    )


def wanted(built: Built, plan: Plan, column: str) -> dict[str, tuple[Any, ...]]:
    ranking: Ranking = rank(built.facts.db, plan)
    rows = ranking.table("board").filter(score=column).to_dicts()
    return {row["entry"]: (row["aup"], row["rank"], row["cost_usd"], row["frontier"]) for row in rows}


def same(found: Any, true: Any) -> bool:
    if isinstance(true, float) and found is not None:
        return math.isclose(found, true, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == true)


@pytest.mark.parametrize("reading", ["season", "live"])
def test_a_browser_ranks_as_the_scorer_does(built: Built, browser: Browser, tmp_path: Path, reading: str) -> None:
    draw = random.Random(reading)
    [original] = [one.plan for one in built.rankings if one.plan.reading == reading]
    compared = 0
    with module_page(browser, tmp_path) as page:
        for number in range(BOARDS):
            plan = spoiled(original, draw) if number else original
            board = board_record(built.facts.db, rank(built.facts.db, plan))
            level = {row.id: LEVELS.index(row.level) for row in board.rows if row.level}
            models = sorted({row.entry.model for row in board.rows if row.entry and row.entry.model})
            settings = [drawn_settings(plan, level, models, draw) for _ in range(SETTINGS)]
            tree = json.loads(json.dumps(board_tree(board, placed(board)), allow_nan=False))
            for one, (tau, rows) in zip(settings, page.evaluate(ASK, [tree, settings]), strict=True):
                true = wanted(built, asked(plan, one, level), one["column"])
                if one["tau"] is None and reading == "season":
                    assert tau == plan.yard.tau_max
                for entry, *values in rows:
                    assert all(map(same, values, true[entry])), (number, one, entry, values, true[entry])
                shown = {entry for entry, *_ in rows}
                assert all(aup is None for entry, (aup, *_) in true.items() if entry not in shown | {BASELINE})
                compared += len(rows)
    assert compared > BOARDS * SETTINGS * 5


def test_intervals_of_differences_are_those_of_every_pair_of_resamples(browser: Browser, tmp_path: Path) -> None:
    """Ends on a task: whole outcomes of all 65,536 pairs. Over the tasks: within the noise of 4,000 resamples."""
    draw = np.random.default_rng(3)
    ask = """async (pairs) => {
      const { difference, sumDifference } = await import("./score.js");
      return [pairs.map(([a, b]) => difference(a, b)), sumDifference(pairs.map((p) => p[0]), pairs.map((p) => p[1]))];
    }"""
    maximise = np.array([True])
    pairs, true, outcomes = [], [], np.zeros(200_000)
    for _ in range(12):
        sides = []
        for _ in range(2):
            values = draw.choice([math.nan, 0.4, 0.9, *draw.uniform(0.5, 2.0, 4)], size=(1, 4))
            scale = fixed_scale(np.array([1.8]), np.array([0.5]), maximise, 0.05, 0.8)
            parts = contributions(scale.log_ratios(by_merit(values, maximise).T), 0.8)
            sides.append(parts)
        outcome = [best_of_picks(side[:, 0]) for side in sides]
        gaps = np.sort((outcome[0][:, None] - outcome[1][None, :]).ravel())
        true.append([gaps[math.floor(0.025 * (gaps.size - 1))], gaps[math.ceil(0.975 * (gaps.size - 1))]])
        outcomes += draw.choice(gaps, outcomes.size)
        pairs.append([side[:, 0].tolist() for side in sides])
    with module_page(browser, tmp_path) as page:
        found, over = page.evaluate(ask, pairs)
    assert np.allclose(found, true, rtol=0, atol=1e-12)
    ends = np.quantile(outcomes, [0.025, 0.975])
    assert np.allclose(over, ends, rtol=0, atol=0.05 * (ends[1] - ends[0]))
