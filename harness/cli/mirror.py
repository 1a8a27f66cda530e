"""`gymboard mirror`: the board's own copy of an entry's payload parts."""

from __future__ import annotations

import typer

from harness.cli.bundle import EntryFolder, RevokedFile, SignersFile
from harness.cli.common import AsJson
from harness.cli.evidence import LedgerFile
from harness.cli.submit import BoardName, GitHubUrl, extra_of_submit


def mirror(
    entry: EntryFolder,
    signers: SignersFile,
    board: BoardName = None,
    github_url: GitHubUrl = "https://github.com",
    ledger: LedgerFile = None,
    revoked: RevokedFile = None,
    as_json: AsJson = False,
) -> None:
    """Copy the parts of a signed entry that lie elsewhere to a release of the board; for its maintainers.

    Example: gymboard mirror submissions/my-entry --signers their.keys

    `gymboard ledger mirror` does this and writes the ledger's line too. The token comes from GITHUB_TOKEN, else from
    gh, and must be able to write to the board. Every digest is looked at before and after; after a failure the same
    command goes on. Exit codes: 0 all copies are there, 1 refused or interrupted, 2 wrong call.
    """
    with extra_of_submit():
        from harness.submit.line import Target
        from harness.submit.mirror import mirror as mirror_parts
        from harness.submit.mirror import parts_here
    from dataclasses import asdict

    from harness.cli.common import emit
    from harness.mirrors import LEDGER
    from harness.revoked import revoked_beside
    from harness.signing import Signers
    from harness.submit.server import Server, find_board, find_token

    server = Server.at(github_url)
    target = Target(server, find_board(server, board))
    keys = Signers.read(signers, revoked or revoked_beside(entry))
    verified = parts_here(entry, keys, ledger or entry.resolve().parent / LEDGER)
    done = mirror_parts(entry, verified, target, find_token(server), lambda line: typer.echo(line, err=True))
    if as_json:
        emit(asdict(done))
    elif done.at is None:
        typer.echo("nothing to copy: every part lies beside bundle.json")
    else:
        typer.echo(f"mirror: {done.at}")
