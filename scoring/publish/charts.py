"""The two charts of a board: performance profiles, and what an AUP costs.

Takes the frames of a board, gives SVG text to be placed inline; the key of the lines is the page's, so that it never
hides a curve. Imported where something is drawn (scoring.publish.drawings).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import altair as alt
import polars as pl

from scoring.publish.labels import Box, along, place
from scoring.publish.series import REST
from scoring.publish.strokes import HEIGHT
from scoring.publish.svg import FADE, INK, colour, dash, svg

_AXES_WIDTH, _AXES_HEIGHT = 62, 46
"""Pixels that axes and their titles take from the drawing, about: names are placed in what is left."""


def profile(frame: pl.DataFrame, end: float, title: str, width: int) -> Callable[[], str]:
    """The way to performance profiles: the share of tasks within a factor of the best, as step-after lines."""
    scale = alt.Scale(domain=[0, end], nice=False)
    lines = (
        alt.Chart(frame)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("tau:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6)),
            y=alt.Y(
                "rho:Q", title="share of tasks", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
            ),
            detail="row:N",
            color=colour(),
            strokeDash=dash(),
        )
    )
    return svg([lines], width)


def pareto(frame: pl.DataFrame, width: int) -> Callable[[], str]:
    """The way to AUP against cost per episode (log), the frontier as steps."""
    x = alt.X(
        "cost:Q",
        title="USD per episode (log)",
        scale=alt.Scale(type="log", domain=list(_costs(frame)), nice=False),
        axis=alt.Axis(format="$~g", tickCount=5),
    )
    y = alt.Y(
        "aup:Q",
        title="AUP",
        scale=alt.Scale(domain=list(_aups(frame)), nice=False, zero=False),
        axis=alt.Axis(tickCount=5),
    )
    grey = (pl.col("style") == REST) & ~pl.col("frontier")
    behind = alt.Chart(frame.filter(grey)).mark_point(size=50, strokeWidth=0, filled=True, opacity=0.6)
    points = (
        alt.Chart(frame.filter(~grey))
        .mark_point(size=80, strokeWidth=2, filled=True)
        .encode(x=x, y=y, color=colour(), opacity=alt.condition("datum.frontier", alt.value(1), alt.value(0.6)))
    )
    layers = [*_frontier(frame, x, y), points, *_names(frame, width, x, y)]
    return svg([*([] if frame.filter(grey).is_empty() else [behind.encode(x=x, y=y, color=colour())]), *layers], width)


def _steps(frame: pl.DataFrame) -> pl.DataFrame:
    """The frontier's corners, drawn on to the right edge."""
    steps = frame.filter(pl.col("frontier")).sort("cost").select("cost", "aup")
    if steps.is_empty():
        return steps
    return pl.concat([steps, pl.DataFrame({"cost": [_costs(frame)[1]], "aup": [steps["aup"].max()]})])


def _frontier(frame: pl.DataFrame, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    steps = _steps(frame)
    if steps.is_empty():
        return []
    return [alt.Chart(steps).mark_line(interpolate="step-after", strokeWidth=1.5, color=FADE).encode(x=x, y=y)]


def _names(frame: pl.DataFrame, width: int, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """The names of leaders and of the frontier, each where it hides no point, no line and no other name."""
    box = Box(0, 0, width - _AXES_WIDTH, HEIGHT - _AXES_HEIGHT)
    corners = _pixels(_steps(frame), frame, box)
    lines = [part for start, end in pairwise(corners) for part in along(start, end)]
    dots = [Box(left - 6, top - 6, left + 6, top + 6) for left, top in _pixels(frame, frame, box)]
    named = frame.filter((pl.col("style") != REST) | pl.col("frontier"))
    spots = place(_pixels(named, frame, box), list(named["label"]), box, [*lines, *dots])
    marks = []
    for record, spot in zip(named.iter_rows(named=True), spots, strict=True):
        if spot is None:
            continue
        mark = alt.Chart(pl.DataFrame([record])).mark_text(
            align=spot.align, dx=spot.dx, dy=spot.dy, baseline="middle", color=INK
        )
        marks.append(mark.encode(x=x, y=y, text="label:N"))
    return marks


def _pixels(points: pl.DataFrame, frame: pl.DataFrame, box: Box) -> list[tuple[float, float]]:
    """Where points of the plane lie in the drawing, from its top left."""
    (low, high), (bottom, top) = _costs(frame), _aups(frame)
    return [
        (box.right * math.log(cost / low) / math.log(high / low), box.bottom * (top - aup) / (top - bottom))
        for cost, aup in points.select("cost", "aup").iter_rows()
    ]


def _costs(frame: pl.DataFrame) -> tuple[float, float]:
    """Ends of the cost axis: a factor of two of air on both sides."""
    return min(frame["cost"]) / 2, max(frame["cost"]) * 2


def _aups(frame: pl.DataFrame) -> tuple[float, float]:
    low, high = min(frame["aup"]), max(frame["aup"])
    air = max(0.02, (high - low) * 0.15)
    return low - air, high + 2 * air
