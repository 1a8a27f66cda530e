"""The sub-commands of the harness. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

import typer

from harness.cli.watch import watch


def mount(app: typer.Typer) -> None:
    """Add the harness's commands to the app."""
    app.command()(watch)
