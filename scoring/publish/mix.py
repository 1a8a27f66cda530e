"""Counts as small drawings: ten stacked columns, each filled to the top or as high as its count.

Takes counts by group and column, gives one path a group in a box as wide as there are columns and 100 high, whatever
the page makes of it. A path covers those of the groups below it, which are drawn over it; the style sheet cuts the gaps
between the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HIGH = 100


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
    total, below = sum(columns) or 1, [0] * len(columns)
    found = []
    for number, (name, counts) in enumerate(groups, start=1):
        below = [one + count for one, count in zip(below, counts, strict=True)]
        tops = [
            round(HIGH - HIGH * one / ((many if filled else highest) or 1))
            for one, many in zip(below, columns, strict=True)
        ]
        percents = tuple(round(100 * count / (many or 1)) for count, many in zip(counts, columns, strict=True))
        found.append(Band(name, number, _path(tops) if any(counts) else "", sum(counts) / total, percents))
    return tuple(found)


def _path(tops: Sequence[int]) -> str:
    """From the bottom, along the tops of the columns."""
    path, at = f"M0 {HIGH}", HIGH
    for place, top in enumerate(tops):
        if top != at:
            path += f"{f'H{place}' if place else ''}V{top}"
            at = top
    return f"{path}H{len(tops)}{'' if at == HIGH else f'V{HIGH}'}z"
