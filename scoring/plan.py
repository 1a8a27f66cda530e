"""Plan: one ranking to compute, before anything is computed. Takes who, what values and which yardstick; a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.schema.prices import PriceTable
from scoring.tables import Grid, Looks, Source
from scoring.vocabulary import COLUMNS, BoardId, Column, Reading
from scoring.yardstick import Season, Yardstick


@dataclass(frozen=True)
class Plan:
    """One ranking to compute. `chosen`: entry_no of everyone on it, in the grid's order. `not_ranked`: entry -> why.

    `partial`: who of them never ran some of the tasks, and has no AUP. `preview`: the entry that is only looked at;
    `scores`: the kinds of score that are ranked.
    """

    id: BoardId
    reading: Reading
    title: str
    yard: Yardstick
    chosen: Sequence[int]
    grid: Grid
    looks: Looks
    source: Source
    prices: PriceTable
    prices_day: str
    season: Season | None = None
    not_ranked: Mapping[str, str] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    preview: str | None = None
    caveats: tuple[str, ...] = ()
    scores: tuple[Column, ...] = COLUMNS
