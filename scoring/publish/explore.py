"""What a reader can ask a chart: two sliders beside the cost frontier, and both charts as Vega-Lite for a closer look.

Takes a Board, gives the frontier as JSON and specifications as text. Never draws: the picture of the page stays as it
is; Vega itself is one vendored file, kept by its version, that a page fetches only when somebody asks.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import polars as pl

from scoring.facts.read import default_cache
from scoring.leaderboard import Board
from scoring.publish.engine import ask
from scoring.publish.findings import yardstick
from scoring.publish.formats import number, usd
from scoring.publish.series import REST, drawn, pareto_frame, profile_frame, short
from scoring.publish.svg import colour, dash, living

MAX_POINTS = 300
"""Points of a living chart: with their names they stay under 30 KB."""


class Slider(NamedTuple):
    """Ends, step and starting place of a range input."""

    low: float
    high: float
    step: float
    start: float


class Readout(NamedTuple):
    """`frontier`: JSON, by cost: [label, USD an episode, AUP, which point of the drawing, or null: not drawn].

    `first`: what an answer looks like, to keep its room. `budget` in log10 USD, `aup` in AUP.
    """

    frontier: str
    first: str
    budget: Slider
    aup: Slider


def readout(board: Board) -> Readout | None:
    """None while no two points of the frontier can be told apart."""
    ids = {row.id for row in board.rows}
    points = [p for p in board.pareto if p.column == board.default_column and p.frontier and p.row in ids]
    points = sorted((p for p in points if p.cost_usd is not None), key=lambda p: (p.cost_usd or 0.0, -p.aup, p.row))
    costs = [p.cost_usd for p in points if p.cost_usd]
    if len(points) < 2 or not costs:
        return None
    named = {p.row for p in points}
    labels = {row.id: short(row.label, 60) for row in board.rows if row.id in named}
    place = {row: at for at, row in enumerate(pareto_frame(board)["row"])}
    records = [[labels[p.row], p.cost_usd, p.aup, place.get(p.row)] for p in points]
    low, high = math.floor(50 * math.log10(costs[0])) / 50 - 0.1, math.ceil(50 * math.log10(costs[-1])) / 50 + 0.1
    bottom, top = math.floor(100 * points[0].aup) / 100, math.ceil(100 * points[-1].aup) / 100
    return Readout(
        json.dumps(records, ensure_ascii=False),
        f"{usd(costs[0])}: {labels[points[0].row]}, {usd(costs[0])}, AUP {number(points[0].aup)}",
        Slider(round(low, 2), round(high, 2), 0.02, round((low + high) / 2, 2)),
        Slider(bottom, top, 0.01, round((bottom + top) / 2, 2)),
    )


def write_charts(boards: Sequence[Board], assets: Path, vega: Callable[[], str]) -> None:
    """charts/*.json, and vega/vega.js where there is any."""
    found = {name: text for board in boards for name, text in specifications(board).items()}
    files = {f"charts/{name}": text for name, text in found.items()} | ({"vega/vega.js": vega()} if found else {})
    for name, text in files.items():
        (assets / name).parent.mkdir(parents=True, exist_ok=True)
        (assets / name).write_text(text, encoding="utf-8")


def specifications(board: Board) -> dict[str, str]:
    """File name -> Vega-Lite as JSON, of the charts that the board has."""
    found = {}
    points, curves = pareto_frame(board), profile_frame(board)
    if not points.is_empty():
        found[f"pareto-{board.id}.json"] = living(_pareto(points))
    if drawn(board):
        found[f"profile-{board.id}.json"] = living(_profile(board, curves))
    return found


def _pareto(points: pl.DataFrame) -> Any:
    kept = points.with_row_index().filter(pl.col("frontier") | (pl.col("index") < MAX_POINTS)).drop("index")
    kept = kept.with_columns(pl.col("cost").round_sig_figs(4), pl.col("aup").round(4))
    return (
        alt.Chart(kept)
        .mark_point(size=90, filled=True)
        .encode(
            x=alt.X(
                "cost:Q",
                title="USD per episode (log)",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(format="$~g", tickCount=5),
            ),
            y=alt.Y("aup:Q", title="AUP", scale=alt.Scale(zero=False)),
            color=colour(),
            opacity=alt.condition("datum.frontier", alt.value(1), alt.value(0.6)),
            tooltip=[
                alt.Tooltip("label:N", title="agent"),
                alt.Tooltip("cost:Q", title="USD per episode", format=".3g"),
                alt.Tooltip("aup:Q", title="AUP", format=".3f"),
                alt.Tooltip("frontier:N", title="on the frontier"),
            ],
        )
        .add_params(alt.selection_interval(bind="scales"))
    )


def _profile(board: Board, curves: pl.DataFrame) -> Any:
    shown = set(curves["row"])
    labels = {row.id: short(row.label) for row in board.rows if row.id in shown}
    named = curves.with_columns(label=pl.col("row").replace_strict(labels))
    over = alt.selection_point(fields=["row"], on="pointerover", empty=False)
    thick = alt.condition(over, alt.value(4), alt.value(2))
    return (
        alt.Chart(named)
        .mark_line(interpolate="step-after", point=alt.OverlayMarkDef(opacity=0, size=40))
        .encode(
            x=alt.X("tau:Q", title=f"log10 of the ratio to the {yardstick(board)}"),
            y=alt.Y("rho:Q", title="share of tasks", axis=alt.Axis(format="%")),
            detail="row:N",
            color=colour(),
            strokeDash=dash(),
            strokeWidth=thick,
            opacity=alt.condition(f"datum.style === '{REST}'", alt.value(0.7), alt.value(1)),
            tooltip=[
                alt.Tooltip("label:N", title="agent"),
                alt.Tooltip("tau:Q", title="log10 of the ratio", format=".3f"),
                alt.Tooltip("rho:Q", title="share of tasks", format=".0%"),
            ],
        )
        .add_params(over)
    )


_SCRIPTS: dict[str, str] = {}
"""What this process has had made."""


def begin_vega() -> Callable[[], str]:
    """The way to Vega, Vega-Lite and Vega-Embed as one script. Made once for a version of vl-convert, then read."""
    kept, name = default_cache(), f"vega-{version('vl-convert-python')}.js"
    file = kept / name if kept else None
    if name in _SCRIPTS:
        return lambda: _SCRIPTS[name]
    if file and file.is_file():
        return functools.partial(file.read_text, encoding="utf-8")
    script = ask("script", "window.vegaEmbed = vegaEmbed;")

    def made() -> str:
        _SCRIPTS[name] = script()
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.write_text(_SCRIPTS[name], encoding="utf-8")
            part.replace(file)
        return _SCRIPTS[name]

    return made
