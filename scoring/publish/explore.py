"""What a reader can ask a chart: two sliders beside the cost frontier, and both charts as Vega-Lite for a closer look.

Takes a Board, gives the frontier as JSON and writes specifications. Never draws: the picture of the page stays as it
is; Vega itself is one vendored file, kept by its version, that a page fetches only when somebody asks.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from scoring.facts.read import default_cache
from scoring.leaderboard import Board
from scoring.publish.drawings import specifications
from scoring.publish.engine import ask
from scoring.publish.formats import number, usd
from scoring.publish.series import pareto_frame, short


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
