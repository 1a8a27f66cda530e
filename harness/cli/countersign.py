"""`gymboard countersign`: a second party says that its own run repeats somebody else's entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.bundle import EntryFolder


def countersign(
    entry: EntryFolder,
    own: Annotated[
        Path,
        typer.Option(help="Your entry: your own run of its agent, packed and signed.", exists=True, file_okay=False),
    ],
    party: Annotated[str, typer.Option(help="Your name in submissions/parties.toml.")],
    key: Annotated[Path, typer.Option(help="A key that is listed there for you.", exists=True, dir_okay=False)],
    report: Annotated[
        Path | None,
        typer.Option(help="What your gymboard regrade of ENTRY wrote; default: <entry>.regrade.json beside it."),
    ] = None,
) -> None:
    """Counter-sign somebody else's entry: you graded its artifacts again, and ran its agent yourself.

    Example: gymboard countersign submissions/theirs --own submissions/mine --party our-lab --key ~/.ssh/id_ed25519

    Writes countersign.json and its signature into your own entry, to be submitted with it. Exit codes: 0 signed, 2 it
    would not count (each reason has its rule's code).
    """
    from harness.countersign import countersign as sign_statement

    found = report or entry.resolve().parent / f"{entry.resolve().name}.regrade.json"
    typer.echo(f"counter-signed: {sign_statement(entry, own, found, party, key)}")
