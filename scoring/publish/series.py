"""What a chart draws, as plain frames: aggregated before, so that a chart's file stays small.

Takes a Board, gives polars frames. The five leading rows are highlighted, the baseline is dashed, the rest is grey.
"""

from __future__ import annotations

import polars as pl

from scoring.leaderboard import Board, Row

HIGHLIGHTED = 5
BASELINE = "baseline"
REST = "rest"
MAX_CURVES = 40
MAX_DOTS, GRID = 200, (180, 60)
"""Grey points of a chart that are all drawn, and the fields of the grid that more of them are thinned to."""
_PROFILE = {"row": pl.String, "style": pl.String, "tau": pl.Float64, "rho": pl.Float64}
_PARETO = {"row": pl.String, "label": pl.String, "style": pl.String, "cost": pl.Float64, "aup": pl.Float64}


def styles(board: Board) -> dict[str, str]:
    """Row id -> style: `c1`..`c5` for the leading entries, `baseline`, `rest`."""
    entries = [row for row in board.rows if row.kind != BASELINE and row.standings]
    leaders = {row.id: f"c{place + 1}" for place, row in enumerate(entries[:HIGHLIGHTED])}
    return {row.id: BASELINE if row.kind == BASELINE else leaders.get(row.id, REST) for row in board.rows}


def short(label: str, width: int = 24) -> str:
    """A label that fits beside a point, without control or direction marks."""
    plain = label if label.isprintable() else "".join(c if c.isprintable() else " " for c in label)
    clean = " ".join(plain.split())
    return clean if len(clean) <= width else clean[: width - 1] + "…"


def drawn(board: Board) -> list[str]:
    """Ids of the rows whose curve is drawn: more lines than these would be one grey area."""
    entries = [row.id for row in board.rows if row.kind != BASELINE and row.standings]
    return [*entries[:MAX_CURVES], *(row.id for row in board.rows if row.kind == BASELINE and row.standings)]


def profile_frame(board: Board) -> pl.DataFrame:
    """Columns row, style, tau, rho: each curve from tau 0 to tau_max, drawn as steps after each point."""
    style, end, shown = styles(board), board.constants.tau_max, set(drawn(board))
    records = []
    for curve in board.curves:
        if curve.column != board.default_column or curve.row not in shown:
            continue
        steps = [(max(0.0, t), r) for t, r in zip(curve.tau, curve.rho, strict=True) if t <= end]
        at_zero = max((r for t, r in steps if t == 0.0), default=0.0)
        points = [(0.0, at_zero), *[(t, r) for t, r in steps if t > 0.0]]
        points.append((end, points[-1][1]))
        records += [(curve.row, style[curve.row], round(t, 5), round(r, 5)) for t, r in points]
    # Grey first, leaders on top.
    records.sort(key=lambda record: (record[1] != REST, record[0], record[2]))
    return pl.DataFrame(records, schema=_PROFILE, orient="row")


def pareto_frame(board: Board) -> pl.DataFrame:
    """Columns row, label, style, cost, aup, frontier: points with a known cost, without $0 (the axis is log).

    Leaders and the frontier first; of the others only one a few pixels, since more would hide one another.
    """
    style, rows = styles(board), {row.id: row for row in board.rows}
    records = [
        (p.row, short(rows[p.row].label), style[p.row], p.cost_usd, p.aup, p.frontier)
        for p in board.pareto
        if p.column == board.default_column and p.cost_usd and p.row in rows
    ]
    frame = pl.DataFrame(records, schema={**_PARETO, "frontier": pl.Boolean}, orient="row")
    grey = (pl.col("style") == REST) & ~pl.col("frontier")
    return pl.concat([frame.filter(~grey), _thinned(frame.filter(grey), frame)])


def _thinned(grey: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """The first point of each field of a grid over the whole of `frame`."""

    def field(column: pl.Expr, name: str, fields: int) -> pl.Expr:
        low, high = frame.select(column.min().alias("low"), column.max().alias("high")).row(0)
        width = (high - low) or 1.0
        scaled: pl.Expr = (column - low) / width * fields
        return scaled.floor().alias(name)

    if grey.height <= MAX_DOTS:
        return grey
    fields = grey.with_columns(field(pl.col("cost").log(), "across", GRID[0]), field(pl.col("aup"), "up", GRID[1]))
    return fields.unique(("across", "up"), keep="first", maintain_order=True).drop("across", "up")


def undrawn(board: Board) -> tuple[list[Row], list[Row]]:
    """The gutters: rows whose cost is not known, and rows that cost nothing because they call no model."""
    rows = {row.id: row for row in board.rows}
    points = [p for p in board.pareto if p.column == board.default_column and p.row in rows]
    unknown = [rows[p.row] for p in points if p.cost_usd is None]
    return unknown, [rows[p.row] for p in points if p.cost_usd == 0]
