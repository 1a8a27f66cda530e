"""Digests of what a row says, for whatever is kept by what it was made of.

Takes a Row, gives a digest of the row itself and one of where it stands. Makes none of the records that the row holds
as arrays: they would be most of a build in which nothing has changed.
"""

from __future__ import annotations

from scoring.cells import Cells
from scoring.leaderboard import Row
from scoring.publish.kept import key


def said(row: Row) -> bytes:
    """Of everything but where it stands, which changes with everybody."""
    if isinstance(row.cells, Cells):
        return key("arrays", row.model_dump_json(exclude={"standings", "cells"}), row.cells.said())
    return key("record", row.model_dump_json(exclude={"standings"}))


def stands(row: Row) -> bytes:
    """Of where it stands."""
    return key(*(f"{column} {place.model_dump_json()}" for column, place in sorted(row.standings.items())))
