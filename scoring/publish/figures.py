"""A chart with everything around it: finding, alternative text, key, two widths, note and the data as a table.

Takes a Board, gives what the figure macro prints.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from markupsafe import Markup

from scoring.leaderboard import Board
from scoring.publish import findings
from scoring.publish.drawings import pareto_chart, profile_chart
from scoring.publish.explore import Readout, readout
from scoring.publish.formats import number, usd
from scoring.publish.series import REST, drawn, short, styles, undrawn
from scoring.publish.strokes import DASHES, NARROW, WIDE

MAX_RECORDS = 8
"""Rows of a chart's own table; the rest is in the downloads."""


class Key(NamedTuple):
    """One line of a chart in its key: style class, dashes, name."""

    style: str
    dashes: str
    label: str


class Figure(NamedTuple):
    """One chart of a page."""

    title: str
    alt: str
    wide: Markup
    narrow: Markup
    keys: tuple[Key, ...]
    note: str
    columns: tuple[str, ...]
    records: tuple[tuple[str, ...], ...]
    omitted: int
    specification: str = ""
    readout: Readout | None = None


def figures(board: Board) -> list[Figure]:
    """The cost Pareto, when a cost can be drawn, and the performance profiles, when anyone has one."""
    return [*([_pareto(board)] if _priced(board) else []), *([_profile(board)] if drawn(board) else [])]


def begin_figures(board: Board) -> None:
    """Have their drawings made beside whatever comes before `figures`."""
    for chart in (*([pareto_chart] if _priced(board) else []), *([profile_chart] if drawn(board) else [])):
        for width in (WIDE, NARROW):
            chart(board, width)


def _priced(board: Board) -> bool:
    return any(p.cost_usd and p.column == board.default_column for p in board.pareto)


def _svg(drawing: str) -> Markup:
    return Markup(drawing)  # noqa: S704 - vl-convert escapes the text that it draws


def _pareto(board: Board) -> Figure:
    labels = {row.id: row for row in board.rows}
    points = [p for p in board.pareto if p.column == board.default_column and p.row in labels]
    records = tuple(
        (labels[p.row].label, usd(p.cost_usd), number(p.aup), "yes" if p.frontier else "no")
        for p in sorted(points, key=lambda p: (-p.aup, p.row))
    )
    unknown, free = undrawn(board)
    gutter = f" Cost unknown, not drawn: {findings.joined([row.label for row in unknown])}." if unknown else ""
    gutter += f" Without any model call, not drawn: {findings.joined([row.label for row in free])}." if free else ""
    return Figure(
        title=findings.pareto_title(board),
        alt=findings.pareto_alt(board),
        wide=_svg(pareto_chart(board, WIDE)()),
        narrow=_svg(pareto_chart(board, NARROW)()),
        keys=(),
        note=f"Nothing is both cheaper and better than what lies on the stepped line, the frontier.{gutter}",
        columns=("Agent", "USD per episode", "AUP", "On the frontier"),
        records=records[:MAX_RECORDS],
        omitted=max(0, len(records) - MAX_RECORDS),
        specification=f"assets/charts/pareto-{board.id}.json",
        readout=readout(board),
    )


def _profile(board: Board) -> Figure:
    labels = {row.id: row.label for row in board.rows}
    curves = [c for c in board.curves if c.column == board.default_column and c.row in labels]
    factors = (1.0, 1.1, 1.5, 2.0, 5.0)
    records = tuple((labels[c.row], *(f"{_share(c.tau, c.rho, f):.0%}" for f in factors)) for c in curves)
    limit = number(board.constants.tau_max, 2)
    return Figure(
        title=findings.profile_title(board),
        alt=findings.profile_alt(board),
        wide=_svg(profile_chart(board, WIDE)()),
        narrow=_svg(profile_chart(board, NARROW)()),
        keys=_keys(board),
        note=f"How many tasks come within a factor of the {findings.yardstick(board)}, up to tau_max = {limit} powers "
        f"of ten. A task without a valid artifact, or not above the baseline, counts as {board.constants.eps:.0%} "
        "worse than the baseline.",
        columns=("Agent", *(f"within {f:g}x" for f in factors)),
        records=records[:MAX_RECORDS],
        omitted=max(0, len(records) - MAX_RECORDS),
        specification=f"assets/charts/profile-{board.id}.json",
    )


def _keys(board: Board) -> tuple[Key, ...]:
    """The highlighted lines by name; grey ones together."""
    style, ids = styles(board), set(drawn(board))
    shown = [row for row in board.rows if row.id in ids]
    named = [Key(style[row.id], _dashes(style[row.id]), short(row.label)) for row in shown if style[row.id] != REST]
    grey = sum(style[row.id] == REST for row in shown)
    return (*named, *([Key(REST, "", f"the next {grey}")] if grey else []))


def _dashes(style: str) -> str:
    return " ".join(map(str, DASHES[style]))


def _share(taus: tuple[float, ...], rhos: tuple[float, ...], factor: float) -> float:
    limit = math.log10(factor) + 1e-9
    return max((rho for tau, rho in zip(taus, rhos, strict=True) if tau <= limit), default=0.0)
