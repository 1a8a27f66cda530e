"""From an Altair chart to SVG text for a page: one drawing for light and dark, without any request.

Takes charts drawn in stand-in colours, gives SVG whose colours are CSS variables and whose text is currentColor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import altair as alt

from scoring.publish.engine import ask
from scoring.publish.lean import lean
from scoring.publish.series import BASELINE, REST
from scoring.publish.strokes import DASHES, HEIGHT, LEADERS

# Stand-ins that become CSS variables: Vega wants colours that it can parse.
INK, GRID, FADE = "#010203", "#010204", "#010205"
PALETTE = {**{style: f"#0102{15 + place}" for place, style in enumerate(LEADERS)}, BASELINE: "#010221", REST: "#010222"}
_VARIABLES = {
    INK: "currentColor",
    GRID: "var(--gb-grid)",
    FADE: "var(--gb-muted)",
    **{colour: f"var(--gb-{style})" for style, colour in PALETTE.items()},
}


def colour() -> alt.Color:
    """Colour by the column `style`."""
    return alt.Color("style:N", scale=alt.Scale(domain=list(PALETTE), range=list(PALETTE.values())), legend=None)


def dash() -> alt.StrokeDash:
    """Dashes by the column `style`, so that lines differ without colour."""
    patterns = [pattern or [1, 0] for pattern in DASHES.values()]
    return alt.StrokeDash("style:N", scale=alt.Scale(domain=list(DASHES), range=patterns), legend=None)


def svg(layers: list[alt.Chart], width: int) -> Callable[[], str]:
    """The way to wait for the layered chart as SVG text. The text in it is escaped by vl-convert."""
    drawing = ask("svg", _dressed(alt.LayerChart(layer=layers), width).to_json(validate=False))
    return lambda: _inline(drawing())


def living(chart: Any) -> str:
    """The chart as Vega-Lite that a page draws itself, as wide as its place, in the page's own colours."""
    return _in_variables(_dressed(chart, "container").to_json(indent=None))


def _dressed(chart: Any, width: int | str) -> Any:
    axis = {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": FADE, "tickColor": FADE}
    sizes = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return (
        chart.properties(width=width, height=HEIGHT, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure(background="transparent", padding=2, font="sans-serif", text={"fontSize": 12})
        .configure_view(stroke=None)
        .configure_axis(**axis, **sizes)
    )


def _in_variables(drawing: str) -> str:
    for stand_in, variable in _VARIABLES.items():
        drawing = drawing.replace(f'"{stand_in}"', f'"{variable}"')
    return drawing


def _inline(drawing: str) -> str:
    drawing = re.sub(r'font-family="[^"]*"', 'font-family="inherit"', _in_variables(drawing))
    return re.sub(r"^<svg ", '<svg aria-hidden="true" focusable="false" ', lean(drawing))
