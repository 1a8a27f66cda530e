"""Both charts of a board as Vega-Lite, for a page that draws them itself when somebody asks.

Takes the frames of a board, gives JSON. Imported where something is made (scoring.publish.drawings).
"""

from __future__ import annotations

import altair as alt
import polars as pl

from scoring.publish.series import REST
from scoring.publish.svg import colour, dash, living

MAX_POINTS = 300
"""Points of a living chart: with their names they stay under 30 KB."""


def pareto(points: pl.DataFrame) -> str:
    """AUP against cost, at most MAX_POINTS of those behind the frontier."""
    kept = points.with_row_index().filter(pl.col("frontier") | (pl.col("index") < MAX_POINTS)).drop("index")
    kept = kept.with_columns(pl.col("cost").round_sig_figs(4), pl.col("aup").round(4))
    chart = (
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
    return living(chart)


def profile(named: pl.DataFrame, yardstick: str) -> str:
    """Performance profiles; `named` has a column `label`."""
    over = alt.selection_point(fields=["row"], on="pointerover", empty=False)
    thick = alt.condition(over, alt.value(4), alt.value(2))
    chart = (
        alt.Chart(named)
        .mark_line(interpolate="step-after", point=alt.OverlayMarkDef(opacity=0, size=40))
        .encode(
            x=alt.X("tau:Q", title=f"log10 of the ratio to the {yardstick}"),
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
    return living(chart)
