"""`gymboard challenge`: doubt about an entry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.bundle import EntryFolder, RevokedFile, SignersFile
from harness.cli.common import Mirror, SandboxChoice, SandboxKind

if TYPE_CHECKING:
    from harness.schema.replay import ReplayReport


def challenge(
    entry: EntryFolder,
    signers: SignersFile,
    out: Annotated[
        Path | None, typer.Option(help="File to write the issue's text to; standard output without it.", dir_okay=False)
    ] = None,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    revoked: RevokedFile = None,
    episode: Annotated[
        str | None,
        typer.Option(metavar="TASK/seed-N", help="Replay this one instead of the cheapest; none: no replay."),
    ] = None,
) -> None:
    """Fetch, verify, regrade an entry in a copy, replay one episode, and draft the text of an issue with what differs.

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
    from harness.mirrors import LEDGER
    from harness.revoked import revoked_beside
    from harness.signing import Signers

    listed = revoked or revoked_beside(entry)
    with tempfile.TemporaryDirectory(prefix="gymboard-challenge-") as place:
        copy = Path(place, entry.resolve().name)
        shutil.copytree(entry, copy, symlinks=True)
        try:
            fetch_parts(copy, Signers.read(signers, listed), ledger=entry.resolve().parent / LEDGER)
            verdicts = Path(place, "verdicts")
            report = regraded(copy, signers, sandbox, mirror, verdicts, listed, quiet=False)
            again = None if episode == "none" else _replayed(copy, sandbox, mirror, verdicts, episode)
            text, doubtful = draft(report, again), differs(report, again)
        except (VerificationError, SchemaError) as error:
            text, doubtful = draft_broken(copy.name, error), True
    if out is None:
        typer.echo(text)
    else:
        out.write_text(text, encoding="utf-8")
        typer.echo(f"draft: {out}; read it, then open an issue with it at the board")
    raise typer.Exit(1 if doubtful else 0)


def _replayed(
    entry: Path, sandbox: SandboxChoice, mirror: Path | None, verdicts: Path, wanted: str | None
) -> ReplayReport | None:
    """One episode's replay, beside the verdicts that the regrade has just found; None: no episode can be replayed."""
    from harness.challenge import cheapest
    from harness.cli.replay_entry import Asked, replayed
    from harness.errors import UsageError
    from harness.schema.bundle import Bundle
    from harness.schema.task import load_tasks
    from harness.signing import BUNDLE
    from harness.verify import read_bundle

    bundle = Bundle.from_json(read_bundle(entry), subject=BUNDLE)
    key = wanted or cheapest(bundle, load_tasks())
    if wanted and wanted not in {episode.key for episode in bundle.episodes}:
        raise UsageError(f"{entry.name} has no episode {wanted!r}; give <task>/seed-<n>, or none")
    if key is None:
        return None
    task = key.partition("/")[0]
    return replayed(entry, Asked(sandbox.value, mirror, tasks=[task], cache=verdicts, episodes=[key]), quiet=False)
