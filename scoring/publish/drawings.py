"""The charts of a board as texts: kept from an earlier build, or made now.

Takes a Board, gives the ways to SVG and specifications as JSON. Loads Altair only where something is made: a build that
finds everything kept saves its 26 MB.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from scoring.leaderboard import Board
from scoring.publish.findings import yardstick
from scoring.publish.kept import begun
from scoring.publish.series import drawn, pareto_frame, profile_frame, short


def profile_chart(board: Board, width: int) -> Callable[[], str]:
    """The way to the performance profiles of a width."""
    frame, end, title = profile_frame(board), board.constants.tau_max, f"log10 of the ratio to the {yardstick(board)}"

    def start() -> Callable[[], str]:
        from scoring.publish import charts

        return charts.profile(frame, end, title, width)

    return begun(f"profile {width} {end} {title} {frame.write_json()}", start)


def pareto_chart(board: Board, width: int) -> Callable[[], str]:
    """The way to AUP against cost. Empty when no cost is known."""
    frame = pareto_frame(board)
    if frame.is_empty():
        return str

    def start() -> Callable[[], str]:
        from scoring.publish import charts

        return charts.pareto(frame, width)

    return begun(f"pareto {width} {frame.write_json()}", start)


def specifications(board: Board) -> dict[str, str]:
    """File name -> Vega-Lite as JSON, of the charts that the board has."""
    found = {}
    points, curves = pareto_frame(board), profile_frame(board)
    if not points.is_empty():
        found[f"pareto-{board.id}.json"] = _living_pareto(points)
    if drawn(board):
        found[f"profile-{board.id}.json"] = _living_profile(board, curves)
    return found


def _living_pareto(points: pl.DataFrame) -> str:
    def make() -> str:
        from scoring.publish import living

        return living.pareto(points)

    return begun(f"living pareto {points.write_json()}", lambda: make)()


def _living_profile(board: Board, curves: pl.DataFrame) -> str:
    shown = set(curves["row"])
    labels = {row.id: short(row.label) for row in board.rows if row.id in shown}
    named = curves.with_columns(label=pl.col("row").replace_strict(labels))

    def make() -> str:
        from scoring.publish import living

        return living.profile(named, yardstick(board))

    return begun(f"living profile {yardstick(board)} {named.write_json()}", lambda: make)()
