"""`gymboard challenge`: doubt about an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.bundle import EntryFolder, RevokedFile, SignersFile
from harness.cli.common import Mirror, SandboxChoice, SandboxKind


def challenge(
    entry: EntryFolder,
    signers: SignersFile,
    out: Annotated[
        Path | None, typer.Option(help="File to write the issue's text to; standard output without it.", dir_okay=False)
    ] = None,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    revoked: RevokedFile = None,
) -> None:
    """Fetch, verify and regrade an entry in a copy, and draft the text of an issue with what differs.

    Example: gymboard challenge submissions/my-entry --signers their.keys --out issue.md

    The entry's folder is left as it is, and nothing is sent. Exit codes: 0 every claim agrees, 1 something differs or
    does not hold (the text says what), 2 wrong call.
    """
    import shutil
    import tempfile

    from harness.challenge import differs, draft, draft_broken
    from harness.cli.evidence import regraded
    from harness.errors import SchemaError, VerificationError
    from harness.fetch import fetch as fetch_parts
    from harness.revoked import revoked_beside
    from harness.signing import Signers

    listed = revoked or revoked_beside(entry)
    with tempfile.TemporaryDirectory(prefix="gymboard-challenge-") as place:
        copy = Path(place, entry.resolve().name)
        shutil.copytree(entry, copy, symlinks=True)
        try:
            fetch_parts(copy, Signers.read(signers, listed))
            report = regraded(copy, signers, sandbox, mirror, None, listed, quiet=False)
            text, doubtful = draft(report), differs(report)
        except (VerificationError, SchemaError) as error:
            text, doubtful = draft_broken(copy.name, error), True
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"draft: {out}; read it, then open an issue with it at the board")
    raise typer.Exit(1 if doubtful else 0)
