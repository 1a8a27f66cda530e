"""The sub-commands of scoring: rank, site. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

import typer


def mount(app: typer.Typer) -> None:
    """Add scoring's commands to the app."""
