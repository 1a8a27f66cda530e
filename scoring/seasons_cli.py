"""`gymboard season propose` and `season show`. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scoring.yardstick import Season

app = typer.Typer(no_args_is_help=True, help="Frozen constants: what every entry of a season is measured against.")


@app.command()
def propose(
    name: Annotated[str | None, typer.Option(help="The new season; default: the number after the newest.")] = None,
    submissions: Annotated[Path, typer.Option(help="The folder of entries.")] = Path("submissions"),
    tasks: Annotated[Path | None, typer.Option("--tasks-root", help="Another folder of tasks.")] = None,
    frozen: Annotated[
        str | None, typer.Option(metavar="DAY", help="Day of the freeze; default: the newest day in the evidence.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the file here; default: print it.", dir_okay=False)] = None,
) -> None:
    """Compute the next season's constants from the board and the tasks: a draft, with what changed in words.

    Example: gymboard season propose --out scoring/seasons/season-1.toml

    Exit codes: 0 proposed, 2 the season or the file is there already (neither is ever overwritten).
    """
    from scoring.season_text import changes, to_toml
    from scoring.yardstick import load_season

    previous = load_season()
    season = proposed(previous, name, submissions, tasks, frozen)
    text = to_toml(season, previous.name)
    if out is None:
        typer.echo(text)
    else:
        write_new(out, text)
    for line in changes(season, previous):
        typer.echo(line, err=out is None)


@app.command()
def show(name: Annotated[str | None, typer.Argument(help="The season; default: the newest.")] = None) -> None:
    """Print a season's constants as a table.

    Example: gymboard season show season-0
    """
    from rich.console import Console

    from scoring.season_text import sources, table
    from scoring.yardstick import load_season

    season = load_season(name)
    Console().print(table(season))
    for line in sources(season):
        typer.echo(line)


def proposed(previous: Season, name: str | None, submissions: Path, tasks: Path | None, frozen: str | None) -> Season:
    """The next season. Raises UsageError on a folder that is not there or a name that is taken."""
    from harness.errors import UsageError
    from harness.schema.prices import load_prices
    from harness.schema.task import load_tasks
    from harness.terminal import plain
    from scoring.facts.read import read_facts
    from scoring.known import known_values, tuned_values
    from scoring.propose import propose as next_season
    from scoring.propose import wanted
    from scoring.yardstick import season_names

    name = name or next_name(previous.name)
    if name in season_names():
        raise UsageError(f"{name} is there already; a season is never proposed twice, name another with --name")
    if not submissions.is_dir():
        raise UsageError(f"no folder {submissions}; run in a checkout of the board or name one with --submissions")
    specs = load_tasks(tasks)
    with read_facts(submissions) as facts:
        known, tuned = known_values(facts.db, wanted(specs, previous)), tuned_values(facts.db, specs)
        [(newest,)] = facts.db.execute("SELECT max(date) FROM entries").fetchall()
    for folder, reasons in facts.rejections:
        typer.echo(f"warning: {plain(folder)}: {plain(reasons[0])}; nothing of it counts", err=True)
    days = [previous.frozen, *filter(None, [newest]), *(line.time[:10] for line in facts.ledger)]
    return next_season(name, frozen or max(days), load_prices().revised, previous, specs, known, tuned)


def next_name(name: str) -> str:
    """season-0 -> season-1. Raises UsageError for a name without a number."""
    from harness.errors import UsageError

    stem, _, number = name.rpartition("-")
    if not stem or not number.isdecimal():
        raise UsageError(f"{name} has no number to count on from; name the season with --name")
    return f"{stem}-{int(number) + 1}"


def write_new(file: Path, text: str) -> None:
    """Write a file that is not there yet. Raises UsageError when it is, OSError when it cannot be written."""
    from harness.errors import UsageError

    try:
        with file.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already; a season is never overwritten, name another with --out") from None
