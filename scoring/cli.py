"""The sub-commands of scoring: rank, site. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scoring.publish import commands


class ReadingChoice(StrEnum):
    """Which AUP."""

    season = "season"
    live = "live"
    mlgym_compat = "mlgym-compat"


class ColumnChoice(StrEnum):
    """Best attempt, or what was handed in last."""

    best = "best"
    last = "last"


class FormatChoice(StrEnum):
    """For people, programs, spreadsheets."""

    table = "table"
    json = "json"
    csv = "csv"


def mount(app: typer.Typer) -> None:
    """Add scoring's commands to the app."""
    app.command()(rank)
    app.add_typer(commands.app, name="site")


def rank(
    reading: Annotated[
        ReadingChoice,
        typer.Option(help="season: the board; live and mlgym-compat: the published results, exact and as MLGym does."),
    ] = ReadingChoice.season,
    column: Annotated[
        ColumnChoice, typer.Option(help="last: what the agent handed in; best: its best attempt.")
    ] = ColumnChoice.last,
    submissions: Annotated[Path, typer.Option(help="The folder of entries.")] = Path("submissions"),
    with_: Annotated[
        Path | None, typer.Option("--with", help="An unpublished bundle folder: where would it land?")
    ] = None,
    output: Annotated[FormatChoice, typer.Option("--format", help="How it is printed.")] = FormatChoice.table,
    explain: Annotated[
        str | None, typer.Option(metavar="ENTRY", help="One entry task by task: where its AUP comes from.")
    ] = None,
) -> None:
    """Rank every entry under submissions/, from the evidence, now.

    Example: gymboard rank --reading live --with runs/mine/bundle
    """
    from scoring.terminal import show

    show(submissions, reading.value, column.value, output.value, with_, explain)
