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
    """One spot for each name, greedily the one that covers least of what is taken; earlier spots win ties.

    None: wherever it went, the name would hide an earlier one or leave the frame.
    """
    written, chosen = list[Box](), list[Spot | None]()
    for (x, y), name in zip(points, names, strict=True):
        boxes = [(spot, _box(x, y, name, spot)) for spot in _SPOTS]
        free = [(spot, box) for spot, box in boxes if not box.outside(frame) and not any(map(box.overlap, written))]
        best = min(free, key=lambda pair: sum(map(pair[1].overlap, taken)), default=None)
        written += [best[1]] if best else []
        chosen.append(best[0] if best else None)
    return chosen


def _box(x: float, y: float, name: str, spot: Spot) -> Box:
    wide = _CHARACTER * len(name)
    left = x + spot.dx - {"left": 0.0, "center": wide / 2, "right": wide}[spot.align]
    return Box(left, y + spot.dy - _LINE / 2, left + wide, y + spot.dy + _LINE / 2)
