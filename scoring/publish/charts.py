"""Charts as static SVG: Altair specifications rendered by vl-convert, one drawing for light and dark.

Takes a Board, gives SVG text to be placed inline. Colours leave as CSS variables, text as currentColor. Needs no network.
"""

from __future__ import annotations

import re
from functools import cache

import altair as alt
import polars as pl
import vl_convert

from scoring.leaderboard import Board
from scoring.publish.labels import Box, place
from scoring.publish.series import BASELINE, pareto_frame, profile_frame, styles

WIDE, NARROW, HEIGHT = 600, 332, 290
# Stand-ins that become CSS variables: Vega wants colours that it can parse.
_INK, _GRID, _FADE = "#010203", "#010204", "#010205"
_PALETTE = {**{f"c{i}": f"#0102{15 + i}" for i in range(1, 6)}, BASELINE: "#010221", "rest": "#010222"}
_VARIABLES = {
    _INK: "currentColor",
    _GRID: "var(--gb-grid)",
    _FADE: "var(--gb-muted)",
    **{colour: f"var(--gb-{style})" for style, colour in _PALETTE.items()},
}
_DASHES = {"c1": [], "c2": [7, 2], "c3": [2, 2], "c4": [9, 2, 2, 2], "c5": [5, 3], BASELINE: [3, 4], "rest": []}


def profile_chart(board: Board, width: int) -> str:
    """Performance profiles: the share of tasks within a factor of the best, as step-after lines."""
    frame = profile_frame(board)
    end = board.constants.tau_max
    lines = (
        alt.Chart(frame)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "tau:Q", title="log10 of the ratio to the best value", scale=alt.Scale(domain=[0, end], nice=False)
            ),
            y=alt.Y("rho:Q", title="share of tasks", scale=alt.Scale(domain=[0, 1])),
            detail="row:N",
            color=_colour(),
            strokeDash=alt.StrokeDash("style:N", scale=_dashes(), legend=None),
        )
    )
    return _svg(alt.layer(lines, *_legend(board, end)), width)


def _legend(board: Board, end: float) -> list[alt.Chart]:
    """Swatch and name of each highlighted line in the empty corner under the curves, best on top."""
    style = styles(board)
    named = [(short.label, style[short.id]) for short in board.rows if style[short.id] != "rest"]
    if not named:
        return []
    from scoring.publish.series import short as fit

    records = [
        (fit(label), kind, end * 0.60, end * 0.66, 0.07 * (len(named) - place_) - 0.02)
        for place_, (label, kind) in enumerate(named)
    ]
    frame = pl.DataFrame(records, schema=["label", "style", "x", "x2", "y"], orient="row")
    base = alt.Chart(frame).encode(y="y:Q")
    swatch = base.mark_rule(strokeWidth=2).encode(
        x="x:Q", x2="x2:Q", color=_colour(), strokeDash=alt.StrokeDash("style:N", scale=_dashes(), legend=None)
    )
    text = base.mark_text(align="left", dx=6, color=_INK).encode(x="x2:Q", text="label:N")
    return [swatch, text]


def pareto_chart(board: Board, width: int) -> str:
    """AUP against cost per episode (log), the frontier as steps. Open points: the cost was not recomputed."""
    frame = pareto_frame(board)
    if frame.is_empty():
        return ""
    x = alt.X(
        "cost:Q", title="USD per episode (log)", scale=_cost_scale(frame), axis=alt.Axis(format="$~g", tickCount=5)
    )
    y = alt.Y("aup:Q", title="AUP", scale=_aup_scale(frame))
    points = (
        alt.Chart(frame)
        .mark_point(size=80, strokeWidth=2)
        .encode(
            x=x,
            y=y,
            color=_colour(),
            fill=alt.condition("datum.source == 'recomputed'", _colour(), alt.value("transparent")),
            opacity=alt.condition("datum.frontier", alt.value(1), alt.value(0.55)),
        )
    )
    return _svg(alt.layer(*_frontier(frame, x, y), points, *_names(frame, width, x, y)), width)


def _frontier(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    steps = frame.filter(pl.col("frontier")).sort("cost")
    end = _domain(frame)[1]
    tail = pl.DataFrame({"cost": [end], "aup": [steps["aup"].max()]}) if len(steps) else pl.DataFrame()
    if tail.is_empty():
        return []
    line = pl.concat([steps.select("cost", "aup"), tail])
    return [alt.Chart(line).mark_line(interpolate="step-after", strokeWidth=1.5, color=_FADE).encode(x=x, y=y)]


def _names(frame: pl.DataFrame, width: int, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Every point's name where it hides no other: left, right, above or below."""
    low, high = _domain(frame)
    bottom, top = _aup_domain(frame)
    plot_w, plot_h = width - 60, HEIGHT - 50
    import math

    at = [
        (plot_w * math.log(c / low) / math.log(high / low), plot_h * (top - a) / (top - bottom))
        for c, a in zip(frame["cost"], frame["aup"], strict=True)
    ]
    spots = place(at, list(frame["label"]), Box(0, 0, plot_w, plot_h))
    marks = []
    for record, spot in zip(frame.iter_rows(named=True), spots, strict=True):
        one = alt.Chart(pl.DataFrame([record]))
        mark = one.mark_text(align=spot.align, dx=spot.dx, dy=spot.dy, baseline="middle", color=_INK)
        marks.append(mark.encode(x=x, y=y, text="label:N"))
    return marks


def _domain(frame: pl.DataFrame) -> tuple[float, float]:
    """Cost axis: a third of a decade of air on both sides."""
    costs = [max(c, 1e-4) for c in frame["cost"]]
    return min(costs) / 2, max(costs) * 2


def _aup_domain(frame: pl.DataFrame) -> tuple[float, float]:
    low, high = min(frame["aup"]), max(frame["aup"])
    air = max(0.02, (high - low) * 0.15)
    return low - air, high + air


def _cost_scale(frame: pl.DataFrame) -> alt.Scale:
    return alt.Scale(type="log", domain=list(_domain(frame)), nice=False)


def _aup_scale(frame: pl.DataFrame) -> alt.Scale:
    return alt.Scale(domain=list(_aup_domain(frame)), nice=False, zero=False)


def _colour() -> alt.Color:
    scale = alt.Scale(domain=list(_PALETTE), range=list(_PALETTE.values()))
    return alt.Color("style:N", scale=scale, legend=None)


def _dashes() -> alt.Scale:
    return alt.Scale(domain=list(_DASHES), range=[dash or [1, 0] for dash in _DASHES.values()])


def _svg(chart: alt.LayerChart, width: int) -> str:
    axis = {"labelColor": _INK, "titleColor": _INK, "gridColor": _GRID, "domainColor": _FADE, "tickColor": _FADE}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    spec = (
        chart.properties(width=width, height=HEIGHT, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(background="transparent", padding=2, font="sans-serif", text={"fontSize": 12})
        .configure_view(stroke=None)
        .configure_axis(**axis, **sizes)
    )
    return _inline(vl_convert.vegalite_to_svg(spec.to_json()))


@cache
def _inline(svg: str) -> str:
    """The drawing for a page: variables for colours, the page's font, scaled down but never up."""
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(f'"{colour}"', f'"{variable}"')
    svg = re.sub(r'font-family="[^"]*"', 'font-family="inherit"', svg)
    return re.sub(r"^<svg ", '<svg aria-hidden="true" focusable="false" ', svg)
