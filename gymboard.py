"""The command `gymboard`: mounts the sub-commands of harness (run, grade, sign) and scoring (rank, publish)."""

from __future__ import annotations

import io
import signal
import sys

import typer

import harness.cli
import scoring.cli

app = typer.Typer(
    name="gymboard",
    help="The open leaderboard for MLGym-Bench: run an agent, sign, verify, regrade, rank, publish.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
harness.cli.mount(app)
scoring.cli.mount(app)


def main() -> None:
    """Entry point: prints an error of ours or of the machine as one block on stderr; 1 when its code is not its own.

    What is written is UTF-8, whatever the locale. To be told to end (SIGTERM: a CI job's timeout) is to leave every
    `with`: no container outlives the command.
    """
    from harness.errors import GymboardError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        app(prog_name="gymboard")
    except GymboardError as error:
        typer.echo(f"gymboard: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        typer.echo(f"gymboard: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
