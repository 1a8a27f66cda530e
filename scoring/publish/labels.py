"""Where the names of points go, so that none hides another. Pure arithmetic in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

_CHARACTER, _LINE, _GAP = 6.6, 15.0, 9.0


class Box(NamedTuple):
    """Left, top, right, bottom in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Shared area."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)

    def outside(self, frame: Box) -> float:
        """Area that sticks out of `frame`."""
        return (self.right - self.left) * (self.bottom - self.top) - self.overlap(frame)


class Spot(NamedTuple):
    """A name's offset from its point and its text anchor."""

    dx: float
    dy: float
    align: Literal["left", "right", "center"]


_SPOTS = (
    Spot(_GAP, 0, "left"),
    Spot(-_GAP, 0, "right"),
    Spot(0, -_LINE, "center"),
    Spot(0, _LINE, "center"),
    Spot(_GAP, -_LINE, "left"),
    Spot(_GAP, _LINE, "left"),
    Spot(-_GAP, -_LINE, "right"),
    Spot(-_GAP, _LINE, "right"),
)


def along(start: tuple[float, float], end: tuple[float, float]) -> list[Box]:
    """What a step from `start` to `end` covers: first across, then up or down."""
    (left, top), (right, bottom) = start, end
    return [Box(left, top - 2, right, top + 2), Box(right - 2, min(top, bottom), right + 2, max(top, bottom))]


def place(
    points: Sequence[tuple[float, float]], names: Sequence[str], frame: Box, taken: Sequence[Box]
) -> list[Spot | None]:
    """One spot for each name, so that names cover least of what is taken; the order given wins ties.

    None: wherever it went, the name would hide another one or leave the frame. Placed greedily, once in the order given
    and once with each name first: an early name in the only spot of a later one is the usual fault.
    """
    given = list(range(len(names)))
    orders = [given, *([first, *(other for other in given if other != first)] for first in given[1:])]
    options = [_options(point, name, frame, taken) for point, name in zip(points, names, strict=True)]
    return min((_greedy(options, order) for order in orders), key=lambda found: found[0])[1]


class _Option(NamedTuple):
    """One spot of one name inside the frame, and how much it covers of what is taken: the same in every order."""

    spot: Spot
    box: Box
    cost: float


def _options(point: tuple[float, float], name: str, frame: Box, taken: Sequence[Box]) -> list[_Option]:
    boxes = [(spot, _box(*point, name, spot)) for spot in _SPOTS]
    return [_Option(spot, box, sum(map(box.overlap, taken))) for spot, box in boxes if not box.outside(frame)]


def _greedy(options: Sequence[Sequence[_Option]], order: Sequence[int]) -> tuple[tuple[int, float], list[Spot | None]]:
    """How many names are left out and what the others cover, and the spot of each name."""
    written, covered, chosen = list[Box](), 0.0, list[Spot | None]([None] * len(options))
    for at in order:
        free = [one for one in options[at] if not any(map(one.box.overlap, written))]
        if free:
            best = min(free, key=lambda one: one.cost)
            chosen[at], covered = best.spot, covered + best.cost
            written.append(best.box)
    return (chosen.count(None), covered), chosen


def _box(x: float, y: float, name: str, spot: Spot) -> Box:
    wide = _CHARACTER * len(name)
    left = x + spot.dx - {"left": 0.0, "center": wide / 2, "right": wide}[spot.align]
    return Box(left, y + spot.dy - _LINE / 2, left + wide, y + spot.dy + _LINE / 2)
