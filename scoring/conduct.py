"""How agents go about it and where they fail, over all entries of one board: counts for the page about failures.

Takes a connection that holds the facts, gives counts by tenth of an episode and by step. Computes no score; a board of
no entries has no counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from scoring.tables import query, replace_relation
from scoring.vocabulary import BoardId

ORIGINS: Mapping[BoardId, str] = {"published": "import", "season": "run"}
BINS = 10
BIN_STEPS = 5
Tenths = Mapping[str, tuple[int, ...]]
"""By letter of a trace: steps in each tenth of the episodes."""


@dataclass(frozen=True)
class Conduct:
    """`tasks` and `entries`: what was done when. `ends`: by exit status, episodes that ended in each bin of steps."""

    tasks: Mapping[str, Tenths]
    entries: Mapping[str, Tenths]
    ends: Mapping[str, tuple[int, ...]]


def conduct(db: duckdb.DuckDBPyConnection, board: BoardId, entries: Sequence[str]) -> Conduct:
    """Of all official entries of the board's origin; of `entries` one by one too."""
    origin = ORIGINS[board]
    replace_relation(db, "shown", pl.DataFrame({"entry": list(entries)}, schema={"entry": pl.String}))
    ends: dict[str, list[int]] = {}
    for place, status, episodes in query(db, "ends_by_step", origin=origin).fetchall():
        ends.setdefault(status, [0] * BINS)[place] = episodes
    return Conduct(
        _tenths(db, "mix_by_task", origin),
        _tenths(db, "mix_by_entry", origin),
        {status: tuple(counts) for status, counts in sorted(ends.items())},
    )


def _tenths(db: duckdb.DuckDBPyConnection, name: str, origin: str) -> dict[str, Tenths]:
    found: dict[str, dict[str, list[int]]] = {}
    for what, tenth, letter, steps in query(db, name, origin=origin).fetchall():
        found.setdefault(what, {}).setdefault(letter, [0] * 10)[tenth] = steps
    return {what: {letter: tuple(counts) for letter, counts in kinds.items()} for what, kinds in found.items()}
