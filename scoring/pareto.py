"""The cost frontier: who cannot be bettered in cost and AUP at once. Pure function; unknown cost is never on it."""

from __future__ import annotations

from collections.abc import Sequence


def frontier(points: Sequence[tuple[float | None, float]]) -> list[bool]:
    """Non-dominated in (cost down, AUP up). Dominated: another is no worse in both and better in one."""

    def beaten(cost: float, aup: float) -> bool:
        return any(
            other is not None and other <= cost and area >= aup and (other < cost or area > aup)
            for other, area in points
        )

    return [cost is not None and not beaten(cost, aup) for cost, aup in points]
