"""A chart with everything around it: finding, alternative text, two widths, note and the data as a table.

Takes a Board, gives what the figure macro prints.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from markupsafe import Markup

from scoring.leaderboard import Board
from scoring.publish import findings
from scoring.publish.charts import NARROW, WIDE, pareto_chart, profile_chart
from scoring.publish.formats import number, usd
from scoring.publish.series import unpriced


class Figure(NamedTuple):
    """One chart of a page."""

    title: str
    alt: str
    wide: Markup
    narrow: Markup
    note: str
    columns: tuple[str, ...]
    records: list[tuple[str, ...]]


def figures(board: Board) -> list[Figure]:
    """The cost Pareto, when a cost is known, and the performance profiles."""
    return [*([_pareto(board)] if _priced(board) else []), _profile(board)]


def _priced(board: Board) -> bool:
    return any(p.cost_usd is not None and p.column == board.default_column for p in board.pareto)


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - vl-convert escapes the text that it draws


def _pareto(board: Board) -> Figure:
    labels = {row.id: row for row in board.rows}
    points = [p for p in board.pareto if p.column == board.default_column and p.row in labels]
    records = [
        (labels[p.row].label, usd(p.cost_usd), number(p.aup), "yes" if p.frontier else "no", labels[p.row].cost.source)
        for p in sorted(points, key=lambda p: (-p.aup, p.row))
    ]
    gutter = findings.joined([row.label for row in unpriced(board)]) if unpriced(board) else ""
    return Figure(
        title=findings.pareto_title(board),
        alt=findings.pareto_alt(board),
        wide=_drawn(pareto_chart(board, WIDE)),
        narrow=_drawn(pareto_chart(board, NARROW)),
        note="The stepped line is the frontier: the best AUP that a budget has bought so far. Filled: cost recomputed "
        "from tokens; open: as reported." + (f" Cost unknown, not drawn: {gutter}." if gutter else ""),
        columns=("Agent", "USD per episode", "AUP", "Frontier", "Cost"),
        records=records,
    )


def _profile(board: Board) -> Figure:
    labels = {row.id: row.label for row in board.rows}
    curves = [c for c in board.curves if c.column == board.default_column and c.row in labels]
    factors = (1.0, 1.1, 1.5, 2.0, 5.0)
    records = [(labels[c.row], *(f"{_share(c.tau, c.rho, f):.0%}" for f in factors)) for c in curves]
    limit = number(board.constants.tau_max, 2)
    return Figure(
        title=findings.profile_title(board),
        alt=findings.profile_alt(board),
        wide=_drawn(profile_chart(board, WIDE)),
        narrow=_drawn(profile_chart(board, NARROW)),
        note=f"How many tasks come within a factor of the best value (log10, up to tau_max = {limit}). A task without "
        "a valid artifact, or not above the baseline, counts as 5 % worse than the baseline.",
        columns=("Agent", *(f"within {f:g}x" for f in factors)),
        records=records,
    )


def _share(taus: tuple[float, ...], rhos: tuple[float, ...], factor: float) -> float:
    limit = math.log10(factor) + 1e-9
    return max((rho for tau, rho in zip(taus, rhos, strict=True) if tau <= limit), default=0.0)
