"""The command `gymboard`: mounts the sub-commands of harness (run, grade, sign) and scoring (rank, publish)."""

from __future__ import annotations

import copy
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # what a record accepts is ours alone to say

import typer
from typer.main import get_command_name

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
FEW_CYCLES = 100_000
"""Objects between two searches for cycles: ours make hardly any, and importing alone would be searched 50 times."""


@app.callback()
def _group() -> None:
    """Keeps the app a group of commands, also when one alone is left."""


def called(words: Sequence[str]) -> typer.Typer:
    """The app with nothing but the command that these words call: to prepare all takes 0.1 s. Everything, when they
    call none (help, a typing error)."""
    commands = [
        one for one in app.registered_commands if one.callback and get_command_name(one.callback.__name__) in words[:1]
    ]
    groups = [one for one in app.registered_groups if one.name in words[:1]]
    if not commands and not groups:
        return app
    only = copy.copy(app)
    only.registered_commands, only.registered_groups = commands, groups
    return only


def main() -> None:
    """Entry point: prints an error of ours or of the machine as one block on stderr; 1 when its code is not its own.

    What is written is UTF-8, whatever the locale. To be told to end (SIGTERM: a CI job's timeout) is to leave every
    `with`: no container outlives the command.
    """
    from harness.errors import GymboardError, in_words
    from harness.terminal import plain

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    gc.set_threshold(FEW_CYCLES)
    try:
        called(sys.argv[1:])(prog_name="gymboard")
    except GymboardError as error:
        typer.echo(f"gymboard: {plain(str(error))}", err=True)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        typer.echo(f"gymboard: {plain(in_words(error))}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
