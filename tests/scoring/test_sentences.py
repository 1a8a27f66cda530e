"""Findings in words: true for ties, one entry and none, and silent where there is nothing to say."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from scoring.listing import Listed
from scoring.sentences import cheapest, cheapest_with, sentences

EMPTY: dict[str, Any] = dict.fromkeys(Listed._fields)
NO_TASKS = pl.DataFrame(schema={"title": str, "domain": str, "baseline": float, "beaten_by": int, "entries": int})


def row(entry: str, rank: int | None, aup: float, cost: float | None, **more: Any) -> Listed:
    about = {"entry": entry, "label": entry.title(), "kind": "entry", "rank": rank, "aup": aup, "cost_usd": cost} | more
    return Listed(**EMPTY | about)


def tasks(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """(domain, beaten_by, entries) a task."""
    return pl.DataFrame(
        [(f"T{i}", domain, 1.0, beaten, entries) for i, (domain, beaten, entries) in enumerate(rows)],
        schema=NO_TASKS.schema,
        orient="row",
    )


def said(rows: list[Listed], about: pl.DataFrame, word: str) -> list[str]:
    return [sentence for sentence in sentences("season", rows, about, "last") if word in sentence]


TWO = [row("a", 1, 1.0, 5.0), row("b", 2, 0.9, 0.5)]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        (
            tasks(("rl", 1, 4), ("language", 3, 4), ("language", 4, 4)),
            ["Reinforcement learning is the hardest domain: on average 25% of entries beat a baseline there."],
        ),
        (
            tasks(("game-theory", 1, 4), ("game-theory", 3, 4), ("rl", 2, 4), ("language", 4, 4)),
            [
                "Game theory and reinforcement learning are the hardest domains: "
                "on average 50% of entries beat a baseline there."
            ],
        ),
        (tasks(("rl", 1, 3), ("rl", 2, 3)), []),
        (tasks(("rl", 2, 3), ("language", 2, 3)), []),
        (tasks(("rl", 0, 1), ("language", 1, 1)), []),
        (tasks(("rl", 2, 3), ("language", 1, 3)).with_columns(baseline=pl.lit(None, pl.Float64)), []),
        (NO_TASKS, []),
    ],
    ids=["one", "tie", "one domain", "all equal", "one entry", "no baseline", "no tasks"],
)
def test_hardest_domain(about: pl.DataFrame, expected: list[str]) -> None:
    assert said(TWO, about, "hardest domain") == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            TWO,
            "Most cost-effective within 10% of the leader's AUP is B: AUP 0.900 at $0.50 an episode, where the leader",
        ),
        ([TWO[0], row("b", 2, 0.899, 0.5)], "Nobody of known cost within 10% of the leader's AUP is cheaper: $5.00"),
        (
            [row("a", 1, 1.0, None), TWO[1]],
            "Most cost-effective within 10% of the leader's AUP is B: AUP 0.900 at $0.50",
        ),
        ([TWO[0], row("b", 2, 1.0, 5.0)], "Nobody of known cost within 10% of the leader's AUP is cheaper: $5.00"),
    ],
    ids=["cheaper", "too weak", "leader unpriced", "tie"],
)
def test_most_cost_effective(rows: list[Listed], expected: str) -> None:
    assert [sentence[: len(expected)] for sentence in said(rows, NO_TASKS, "10%")] == [expected]


@pytest.mark.parametrize(
    "rows",
    [[TWO[0]], [row("a", 1, 1.0, None), row("b", 2, 0.95, None)], [row("a", 1, 0.0, 1.0), row("b", 1, 0.0, 1.0)]],
    ids=["one entry", "no prices", "nothing reached"],
)
def test_no_word_of_cost_effectiveness_without_a_comparison(rows: list[Listed]) -> None:
    assert said(rows, NO_TASKS, "10%") == []


def test_cheapest_with_counts_ranked_entries_of_known_cost() -> None:
    rows = [
        row("best", 1, 1.2, 9.0),
        row("good", 2, 1.0, 2.0),
        row("as-cheap-and-better", 3, 1.1, 2.0),
        row("unpriced", 4, 1.1, None),
        row("unranked", None, 1.1, 0.1),
        row("baseline", None, 1.1, 0.0, kind="baseline"),
        row("preview", 3, 1.1, 0.1, kind="preview"),
        row("scripted", 5, 0.4, 0.0),
    ]

    def found(at_least: float) -> str | None:
        one = cheapest_with(rows, at_least)
        return one and one.entry

    assert [found(1.0), found(1.15), found(1.3), found(0.4)] == ["as-cheap-and-better", "best", None, "scripted"]
    assert found(1.2) == "best", "at least is not more than"
    assert cheapest_with([], 0.0) is None
    assert "No ranked entry" in cheapest(rows, 1.3)


def test_an_entry_that_calls_no_model_is_under_a_dollar() -> None:
    rows = [TWO[0], row("scripted", 2, 0.95, 0.0)]
    assert said(rows, NO_TASKS, "under $1") == ["The best under $1 an episode is Scripted: AUP 0.950 at $0.00."]


def test_nobody_ranked() -> None:
    assert sentences("season", [row("a", None, 0.5, 1.0)], tasks(("rl", 1, 4)), "last") == ("No entry is ranked yet.",)
