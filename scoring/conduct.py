"""How agents go about it and where they fail, over all entries of one board: counts for the page about failures.

Takes a connection that holds the facts, gives counts by tenth of an episode and by step. Computes no score; a board of
no entries has no counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import duckdb
import polars as pl

from scoring.tables import SEEDS, query, replace_relation
from scoring.vocabulary import BoardId

ORIGINS: Mapping[BoardId, str] = {"published": "import", "season": "run"}
TOLD: Mapping[BoardId, str] = {"published": "published", "season": "validation"}
"""Where the values come from that an agent saw while it worked; upstream's validate told the test score."""
BINS = 10
BIN_STEPS = 5
Tenths = Mapping[str, tuple[int, ...]]
"""By letter of a trace: steps in each tenth of the episodes."""
Told = Mapping[str, Mapping[str, Mapping[int, Sequence[tuple[int, float]]]]]
"""By task, entry and seed: (step, value) of each attempt that had a value, in order."""


class Leader(NamedTuple):
    """An entry whose progress on one task is wanted, in the task's metric there."""

    entry: str
    task: str
    metric: str


@dataclass(frozen=True)
class Conduct:
    """`tasks` and `entries`: what was done when. `ends`: by exit status, episodes that ended in each bin of steps."""

    tasks: Mapping[str, Tenths]
    entries: Mapping[str, Tenths]
    ends: Mapping[str, tuple[int, ...]]
    told: Told


def conduct(
    db: duckdb.DuckDBPyConnection, board: BoardId, entries: Sequence[str], leaders: Sequence[Leader]
) -> Conduct:
    """Of all official entries of the board's origin; of `entries` one by one too; of `leaders` what they were told."""
    origin = ORIGINS[board]
    replace_relation(db, "shown", pl.DataFrame({"entry": list(entries)}, schema={"entry": pl.String}))
    ends: dict[str, list[int]] = {}
    for place, status, episodes in query(db, "ends_by_step", origin=origin).fetchall():
        ends.setdefault(status, [0] * BINS)[place] = episodes
    return Conduct(
        _tenths(db, "mix_by_task", origin),
        _tenths(db, "mix_by_entry", origin),
        {status: tuple(counts) for status, counts in sorted(ends.items())},
        _told(db, board, leaders),
    )


def _told(db: duckdb.DuckDBPyConnection, board: BoardId, leaders: Sequence[Leader]) -> Told:
    rows = pl.DataFrame(leaders, schema=dict.fromkeys(Leader._fields, pl.String), orient="row")
    replace_relation(db, "leaders", rows)
    found: dict[str, dict[str, dict[int, list[tuple[int, float]]]]] = {}
    for task, entry, seed, step, value in query(db, "told", told=TOLD[board], seeds=SEEDS).fetchall():
        found.setdefault(task, {}).setdefault(entry, {}).setdefault(seed, []).append((step, value))
    return found


def _tenths(db: duckdb.DuckDBPyConnection, name: str, origin: str) -> dict[str, Tenths]:
    found: dict[str, dict[str, list[int]]] = {}
    for what, tenth, letter, steps in query(db, name, origin=origin).fetchall():
        found.setdefault(what, {}).setdefault(letter, [0] * 10)[tenth] = steps
    return {what: {letter: tuple(counts) for letter, counts in kinds.items()} for what, kinds in found.items()}
