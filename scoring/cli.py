"""The sub-commands of scoring: rank, site, season, ledger. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scoring import ledger_cli, seasons_cli
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
    app.command()(comment)
    app.add_typer(commands.app, name="site")
    app.add_typer(seasons_cli.app, name="season")
    app.add_typer(ledger_cli.app, name="ledger")


def rank(
    reading: Annotated[
        ReadingChoice,
        typer.Option(help="season: the board; live and mlgym-compat: the published results, exact and as MLGym does."),
    ] = ReadingChoice.season,
    column: Annotated[
        ColumnChoice, typer.Option(help="last: what the agent handed in; best: its best attempt.")
    ] = ColumnChoice.last,
    submissions: Annotated[Path, typer.Option(help="The folder of entries.")] = Path("submissions"),
    season: Annotated[
        str | None, typer.Option(help="A season by name, or the file of one; the newest without it.")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Only entries verified at least so far: signed, regraded, replayed, reproduced.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Only these tasks, by commas; not the board's own ranking.")] = None,
    with_: Annotated[
        Path | None, typer.Option("--with", help="An unpublished bundle folder: where would it land?")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="ENTRY", help="One entry task by task, and what would gain it a rank.")
    ] = None,
    at_least: Annotated[
        float | None, typer.Option(metavar="AUP", help="Also name the cheapest entry with at least this AUP.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows of the table; 0: all. JSON and CSV always have all.")] = 100,
    output: Annotated[FormatChoice, typer.Option("--format", help="How it is printed.")] = FormatChoice.table,
) -> None:
    """Rank every entry under submissions/, from the evidence, now.

    Example: gymboard rank --reading live --with runs/mine/bundle

    Exit codes: 0 ranked, 1 ranked but an entry was rejected (standard error says which and why), 2 wrong call.
    """
    from scoring.request import Request, answer

    request = Request(
        submissions, reading.value, column.value, output.value, season, level, tasks, with_, explain, at_least, limit
    )
    if not answer(request):
        raise typer.Exit(1)


def comment(
    changed: Annotated[
        Path,
        typer.Option(
            help="The changed files by GitHub's API, one {filename, status} a line.", exists=True, dir_okay=False
        ),
    ],
    archive: Annotated[
        Path | None, typer.Argument(help="The preview's zip archive; none: it left none.", exists=True, dir_okay=False)
    ] = None,
    submissions: Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)] = Path("submissions"),
) -> None:
    """The text of the comment on a pull request, from what its preview found; believes none of it.

    Example: gymboard comment preview.zip --changed changed.jsonl
    """
    from scoring.comment import comment, read_changed

    typer.echo(comment(archive, read_changed(changed), submissions), nl=False)
