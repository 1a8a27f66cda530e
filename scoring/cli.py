"""The sub-commands of scoring: rank, site, season, ledger. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scoring import seasons_cli
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


ledger_app = typer.Typer(no_args_is_help=True, help="The public decision ledger; for the board's maintainers.")


def mount(app: typer.Typer) -> None:
    """Add scoring's commands to the app."""
    app.command()(rank)
    app.add_typer(commands.app, name="site")
    app.add_typer(seasons_cli.app, name="season")
    app.add_typer(ledger_app, name="ledger")


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


@ledger_app.command()
def include(
    entry: Annotated[str, typer.Argument(help="The entry's folder name.")],
    reason: Annotated[str, typer.Option(help="Why, in one sentence; published.")],
    submissions: Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)] = Path("submissions"),
) -> None:
    """Let exactly these bytes of an entry in: freezes the digest and, for a run, the key that signed it.

    Example: gymboard ledger include my-entry --reason "Pull request 12, checked and regraded."
    """
    from scoring.inclusion import include_entry

    line = include_entry(submissions, entry, reason)
    typer.echo(f"line {line.sequence}: {line.entry} {line.bundle_sha256}")


@ledger_app.command()
def regrade(
    entry: Annotated[str, typer.Argument(help="The entry's folder name.")],
    reason: Annotated[str, typer.Option(help="Why, in one sentence; published.")],
    submissions: Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)] = Path("submissions"),
    report: Annotated[
        Path | None, typer.Option(help="What `gymboard regrade` wrote; default: <entry>.regrade.json beside the entry.")
    ] = None,
) -> None:
    """Write down what our own regrade of an included entry found: the values that the board shows.

    Example: gymboard ledger regrade my-entry --reason "Regraded on main in the official containers."
    """
    from scoring.inclusion import record_regrade

    line = record_regrade(submissions, entry, report or submissions / f"{entry}.regrade.json", reason)
    typer.echo(f"line {line.sequence}: {line.entry} {line.verdicts_sha256}")


@ledger_app.command()
def verify(
    submissions: Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)] = Path("submissions"),
) -> None:
    """Check the chain: every line unchanged, in order, none left out before the last.

    Example: gymboard ledger verify

    Exit codes: 0 it holds, 1 it does not (the sentence names the line).
    """
    from scoring.ledger import read_ledger

    lines = read_ledger(submissions / "ledger.jsonl")
    typer.echo(f"the chain of {len(lines)} line(s) holds" + (f"; its end is {lines[-1].sha256}" if lines else ""))
