"""The command `gymboard`: mounts the sub-commands of harness (run, grade, sign) and scoring (rank, publish)."""

from __future__ import annotations

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
    """Entry point: prints a GymboardError as one block on stderr and exits with its code."""
    from harness.errors import GymboardError

    try:
        app(prog_name="gymboard")
    except GymboardError as error:
        typer.echo(f"gymboard: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
