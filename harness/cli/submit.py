"""`gymboard submit`: an entry becomes a pull request."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.bundle import EntryFolder
from harness.cli.common import TasksFolder

if TYPE_CHECKING:
    from harness.schema.task import TaskSpec
    from harness.submit.proposal import Proposal

BoardName = Annotated[
    str | None,
    typer.Option(envvar="GYMBOARD_BOARD", metavar="OWNER/NAME", help="The board; default: where this clone is from."),
]
GitHubUrl = Annotated[
    str, typer.Option(envvar="GITHUB_SERVER_URL", help="The GitHub server; an Enterprise one has its own address.")
]


def submit(
    entry: EntryFolder,
    board: BoardName = None,
    github_url: GitHubUrl = "https://github.com",
    submissions: Annotated[Path, typer.Option(help="The board's entries, to rank yours among.")] = Path("submissions"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done; needs no token.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also when a maintainer closed the last pull request.")
    ] = False,
    root: TasksFolder = None,
) -> None:
    """Check a signed entry as the robots will, show where it would land, and open its pull request, or renew it.

    Example: gymboard submit my-entry --dry-run

    The token comes from GITHUB_TOKEN, else from gh. Your fork gets one branch with one commit. Parts that the bundle
    places in a release of your fork (pack --location) are uploaded there. After a failure the same command goes on.

    Exit codes: 0 the pull request is open, 1 refused or interrupted (the sentence says by what), 2 wrong call.
    """
    with extra_of_submit():
        from harness.submit.line import Target
        from harness.submit.line import submit as submit_entry
    from harness.check import summary
    from harness.schema.task import load_tasks, tasks_root
    from harness.submit.proposal import propose
    from harness.submit.server import Server, find_board, find_token

    server = Server.at(github_url)
    name = find_board(server, board)
    release = f"{server.web}/<you>/{name.rpartition('/')[2]}/releases/download/{entry.resolve().name}"
    tasks = load_tasks(root or tasks_root())
    proposal = propose(entry, release, root=root, board=submissions if submissions.is_dir() else None)
    for line in [*map(str, proposal.warnings), summary(proposal.warnings)[0]]:
        typer.echo(line)
    token = None if dry_run else find_token(server)
    _land(entry, submissions)
    if token is None:
        _tell(proposal, tasks, server.web, name)
        return
    outcome = submit_entry(proposal, Target(server, name, again), token, tasks, typer.echo)
    typer.echo(f"pull request {outcome.number} {outcome.what}: {outcome.url}")


@contextmanager
def extra_of_submit() -> Iterator[None]:
    """Imports that need the packages of the extra `submit`."""
    try:
        yield
    except ModuleNotFoundError as error:
        from harness.errors import UsageError

        raise UsageError(f"{error.name} is not installed; `pip install gymboard[submit]` brings it") from None


def _land(entry: Path, submissions: Path) -> None:
    """Where the entry would stand, by the command that anyone can call."""
    if not submissions.is_dir():
        typer.echo(f"where it would land is not shown: no folder {submissions} (it is in a clone of the board)")
        return
    words = ["rank", "--with", str(entry), "--submissions", str(submissions)]
    sys.stdout.flush()
    if subprocess.run([sys.executable, "-m", "gymboard", *words], check=False).returncode > 1:
        typer.echo("where it would land is not shown; this keeps nothing from being submitted")


def _tell(proposal: Proposal, tasks: Mapping[str, TaskSpec], web: str, board: str) -> None:
    """The whole plan, with the text of the pull request."""
    from harness.submit.text import body

    typer.echo(f"\nwould be done at {web}, in your fork of {board}:")
    for part in proposal.elsewhere:
        typer.echo(f"  uploaded there, or looked up: {part.location} ({part.size_bytes:,} bytes, sha256 {part.sha256})")
    for name, data in proposal.files.items():
        typer.echo(f"  committed: {proposal.path}/{name} ({len(data):,} bytes)")
    typer.echo(f"  branch: {proposal.branch}\n  pull request: {proposal.title}\n")
    typer.echo(body(proposal, tasks))
