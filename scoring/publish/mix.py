"""Counts as small drawings: ten stacked columns, each filled to the top or as high as its count.

Takes counts by group and column, gives one path a group in a box of 100 by 40, whatever the page makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDE, HIGH, GAP = 10, 40, 1


class Band(NamedTuple):
    """One group: its name, number in the palette and path, its share of all, and of each column in percent."""

    name: str
    colour: int
    path: str
    share: float
    percents: tuple[int, ...]


def bands(groups: Sequence[tuple[str, Sequence[int]]], *, filled: bool = True) -> tuple[Band, ...]:
    """From the bottom up, in the order of the groups. `filled`: every column that has a count reaches the top."""
    columns = [sum(column) for column in zip(*(counts for _, counts in groups), strict=True)]
    highest = max(columns, default=0)
    total, floors = sum(columns) or 1, [0.0] * len(columns)
    found = []
    for number, (name, counts) in enumerate(groups, start=1):
        path = ""
        for at, (count, many) in enumerate(zip(counts, columns, strict=True)):
            if count:
                tall = HIGH * count / (many if filled else highest)
                floors[at] += tall
                path += f"M{at * WIDE} {_short(HIGH - floors[at])}h{WIDE - GAP}v{_short(tall)}h-{WIDE - GAP}z"
        percents = tuple(round(100 * count / (many or 1)) for count, many in zip(counts, columns, strict=True))
        found.append(Band(name, number, path, sum(counts) / total, percents))
    return tuple(found)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
