"""What a chart shows, in a sentence computed from the data: the title and the alternative text.

Takes a Board, gives sentences. Says nothing that the record does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from scoring.leaderboard import Board, Curve
from scoring.publish.formats import number, usd
from scoring.publish.series import short, undrawn

SPOKEN = 12
"""Rows that an alternative text names one by one; the rest is in the chart's table."""
TITLED, WIDTH = 3, 40
"""Names in a title, and characters of each: a longer name would make its chart the higher."""


def _labels(board: Board) -> dict[str, str]:
    return {row.id: row.label for row in board.rows}


def _titled(board: Board) -> dict[str, str]:
    return {row.id: short(row.label, WIDTH) for row in board.rows}


def joined(names: Sequence[str], most: int = SPOKEN) -> str:
    """`a, b and c`; of more than `most`, the first and how many more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _spoken(parts: Sequence[str]) -> str:
    more = f"; and {len(parts) - SPOKEN} more" if len(parts) > SPOKEN else ""
    return f"{'; '.join(parts[:SPOKEN])}{more}"


def _share_at(curve: Curve, tau: float) -> float:
    return max((rho for at, rho in zip(curve.tau, curve.rho, strict=True) if at <= tau + 1e-9), default=0.0)


def _curves(board: Board) -> list[Curve]:
    return [curve for curve in board.curves if curve.column == board.default_column]


def yardstick(board: Board) -> str:
    """What ratios are taken against: frozen in a season, the best of the cohort otherwise."""
    return "reference value" if board.reading == "season" else "best value"


def profile_title(board: Board) -> str:
    """Who reaches the reference value, or holds the best one, on most tasks."""
    labels, total = _titled(board), len(board.tasks)
    entries = {row.id for row in board.rows if row.kind == "entry"}
    shares = {c.row: round(_share_at(c, 0.0) * total) for c in _curves(board) if c.row in entries}
    top = max(shares.values(), default=0)
    leaders = [labels[row] for row, share in shares.items() if share == top]
    if not top:
        return f"Nobody reaches the {yardstick(board)} on any task"
    verb = "each reach" if len(leaders) > 1 else "reaches"
    return f"{joined(leaders, TITLED)} {verb} the {yardstick(board)} on {top} of {total} tasks"


def profile_alt(board: Board) -> str:
    """Every curve at the yardstick, within 10 % of it, and within a factor of two."""
    labels = _labels(board)
    parts = [
        f"{labels.get(c.row, c.row)} {_share_at(c, 0):.0%}, {_share_at(c, 0.0414):.0%}, {_share_at(c, 0.301):.0%}"
        for c in _curves(board)
    ]
    return f"Share of tasks at the {yardstick(board)}, within 10 % of it, within a factor of two: {_spoken(parts)}."


def pareto_title(board: Board) -> str:
    """Who is on the frontier."""
    labels = _titled(board)
    points = [p for p in board.pareto if p.column == board.default_column and p.frontier]
    names = [labels[p.row] for p in sorted(points, key=lambda p: p.cost_usd or 0) if p.row in labels]
    if not names:
        return "No agent has a known cost"
    return f"On the cost frontier: {joined(names, TITLED)}"


def pareto_alt(board: Board) -> str:
    """Every point in words."""
    labels = _labels(board)
    points = [p for p in board.pareto if p.column == board.default_column and p.row in labels]
    parts = [f"{labels[p.row]} {usd(p.cost_usd)}, AUP {number(p.aup)}" for p in points if p.cost_usd is not None]
    unknown, _ = undrawn(board)
    gutter = f" Cost unknown: {joined([row.label for row in unknown])}." if unknown else ""
    return f"Cost per episode and AUP: {_spoken(parts)}.{gutter}"
