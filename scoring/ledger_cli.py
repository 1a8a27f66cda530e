"""`gymboard ledger ...`: the public decision ledger, read by anybody, written by maintainers and by one job on main."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The public decision ledger; for the board's maintainers.")

EntryName = Annotated[str, typer.Argument(help="The entry's folder name.")]
Reason = Annotated[str, typer.Option(help="Why, in one sentence; published.")]
Evidence = Annotated[str | None, typer.Option(metavar="URL", help="Where everybody can see it; https.")]
Submissions = Annotated[Path, typer.Option(help="The folder of entries.", file_okay=False)]


class LowerChoice(StrEnum):
    """What an entry can fall to."""

    reported = "reported"
    signed = "signed"
    regraded = "regraded"
    replayed = "replayed"


@app.command()
def include(
    entry: EntryName,
    reason: Reason,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Let exactly these bytes of an entry in: freezes the digest and, for a run, the key that signed it.

    Example: gymboard ledger include my-entry --reason "Pull request 12, checked and regraded."
    """
    from scoring.inclusion import include_entry

    line = include_entry(submissions, entry, reason)
    typer.echo(f"line {line.sequence}: {line.entry} {line.bundle_sha256}")


@app.command()
def regrade(
    entry: EntryName,
    reason: Reason,
    submissions: Submissions = Path("submissions"),
    report: Annotated[
        Path | None, typer.Option(help="What `gymboard regrade` wrote; default: <entry>.regrade.json beside the entry.")
    ] = None,
) -> None:
    """Write down what our own regrade of an included entry found: the values that the board shows.

    Example: gymboard ledger regrade my-entry --reason "Regraded on main in the official containers."
    """
    from scoring.inclusion import record_regrade

    line = record_regrade(submissions, entry, report or submissions / f"{entry}.regrade.json", reason)
    typer.echo(f"line {line.sequence}: {line.entry} {line.verdicts_sha256}")


@app.command()
def replay(
    entry: EntryName,
    reason: Reason,
    submissions: Submissions = Path("submissions"),
    report: Annotated[
        Path | None, typer.Option(help="What `gymboard replay` wrote; default: <entry>.replay.json beside the entry.")
    ] = None,
) -> None:
    """Write down what our own replay of a regraded entry found, task by task; the level `replayed` follows from it.

    Example: gymboard ledger replay my-entry --reason "Replayed by a maintainer, breakout included."
    """
    from scoring.replays import outcomes, record_replay

    line = record_replay(submissions, entry, report or submissions / f"{entry}.replay.json", reason)
    typer.echo(f"line {line.sequence}: {line.entry} {outcomes(line)}")


@app.command()
def verify(
    submissions: Submissions = Path("submissions"),
    since: Annotated[
        Path | None,
        typer.Option(help="An earlier copy: all its lines must be here still.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Check the chain, the files that it names and the list of revoked keys: every line unchanged and in order.

    With --since nor at its end.

    Example: gymboard ledger verify --since ledger.published.jsonl

    Exit codes: 0 it holds, 1 it does not (the sentence names the line).
    """
    from scoring.ledger import check_files, must_continue, read_ledger
    from scoring.revocation import check_list

    lines = read_ledger(submissions / "ledger.jsonl")
    check_files(submissions, lines)
    check_list(submissions)
    if since is not None:
        earlier = read_ledger(since)
        must_continue(lines, earlier)
        typer.echo(f"it continues {since} of {len(earlier)} line(s)")
    typer.echo(f"the chain of {len(lines)} line(s) holds" + (f"; its end is {lines[-1].sha256}" if lines else ""))


@app.command()
def show(
    entry: Annotated[str | None, typer.Argument(help="Only this entry's lines.")] = None,
    submissions: Submissions = Path("submissions"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """What was decided, and why: every line of the verified chain, or one entry's.

    Example: gymboard ledger show my-entry

    Exit codes: 0 shown, 1 the chain does not hold, 2 no such entry.
    """
    import json

    from harness.errors import UsageError
    from scoring.ledger import read_ledger

    lines = [line for line in read_ledger(submissions / "ledger.jsonl") if entry in (None, line.entry)]
    if entry is not None and not lines:
        raise UsageError(f"the ledger says nothing of {entry!r}")
    if as_json:
        trees = [line.model_dump(mode="json", exclude_none=True) for line in lines]
        typer.echo(json.dumps(trees, indent=1, sort_keys=True, ensure_ascii=False))
        return
    for line in lines:
        to = f" to {line.level}" if line.level else ""
        about = f"{line.entry}  {line.bundle_sha256[:16]}" if line.bundle_sha256 else str(line.key_fingerprint)
        typer.echo(f"{line.sequence}  {line.time}  {line.kind}{to}  {about}")
        typer.echo("    " + "".join(char if char.isprintable() else "?" for char in line.reason))
        for one in line.replays or ():
            typer.echo(f"    {one.task}: {one.outcome}")
        if line.evidence:
            typer.echo(f"    {line.evidence}")


@app.command()
def downgrade(
    entry: EntryName,
    to: Annotated[LowerChoice, typer.Option(help="The level that it falls to.")],
    reason: Reason,
    evidence: Evidence = None,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Lower an included entry to a level, until it is submitted anew.

    Example: gymboard ledger downgrade my-entry --to signed --reason "The artifact reads the labels." --evidence URL
    """
    from scoring.inclusion import decide

    line = decide(submissions, entry, "downgrade", reason, level=to.value, evidence=evidence)
    typer.echo(f"line {line.sequence}: {line.entry} falls to {line.level}")


@app.command()
def remove(
    entry: EntryName,
    reason: Reason,
    evidence: Evidence = None,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Take an included entry off the boards; its line stays, and only a new inclusion brings it back.

    Example: gymboard ledger remove my-entry --reason "Withdrawn by its submitter." --evidence URL
    """
    from scoring.inclusion import decide

    line = decide(submissions, entry, "removal", reason, evidence=evidence)
    typer.echo(f"line {line.sequence}: {line.entry} is removed")


@app.command()
def revoke(
    key: Annotated[Path, typer.Argument(help="File with the public key.", metavar="KEY.pub", exists=True)],
    since: Annotated[str, typer.Option(help="From when it counts no more, as 2026-11-21T00:00:00Z.")],
    reason: Reason,
    evidence: Evidence = None,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Revoke a key: what came in by it since then leaves the boards, and nothing signed by it comes in again.

    Example: gymboard ledger revoke their.pub --since 2026-11-21T00:00:00Z --reason "Reported stolen by its owner."

    What came in before stays. Writes submissions/revoked, which ssh-keygen reads, and a line of the ledger.
    """
    from harness.clock import now
    from harness.errors import UsageError
    from harness.signing import Signers
    from scoring.revocation import revoke as revoke_key

    keys = Signers.read(key).keys
    if len(keys) != 1:
        raise UsageError(f"{key} holds {len(keys)} public keys; revoke them one by one")
    about = {"time": now(), "reason": reason, **({"evidence": evidence} if evidence else {})}
    line = revoke_key(submissions, " ".join(keys[0].split()[:2]), since, about)
    typer.echo(f"line {line.sequence}: {line.key_fingerprint} counts no more since {line.compromised}")


@app.command()
def reproduce(
    entry: Annotated[str, typer.Argument(help="The second party's entry, with its counter-signature.")],
    reason: Reason,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Write down that a listed second party's own run bears out the entry that it counter-signs.

    Example: gymboard ledger reproduce their-run --reason "Lab X ran the agent on its own machines."

    Both are on the board and regraded by then; their regraded values are compared, task by task. Exit codes: 0 written,
    2 refused (the sentence has the rule's code, or the tasks on which it falls short).
    """
    from scoring.reproduce import reproduce as reproduce_entry

    line = reproduce_entry(submissions, entry, reason)
    typer.echo(f"line {line.sequence}: {line.entry} is reproduced by {entry}")


@app.command()
def signer(entry: EntryName, submissions: Submissions = Path("submissions")) -> None:
    """Whose key signed an included entry, as an allowed-signers line: frozen when it came in.

    Example: gymboard ledger signer my-entry

    For gymboard verify, and for ssh-keygen itself, also when the account publishes that key no more.
    """
    from scoring.inclusion import frozen_signer

    typer.echo(frozen_signer(submissions, entry))


@app.command()
def mirror(
    entry: EntryName,
    signers: Annotated[Path, typer.Option(help="The submitter's keys, as for gymboard verify.", dir_okay=False)],
    reason: Reason = "Copied to the board's own release; every digest was read back.",
    submissions: Submissions = Path("submissions"),
    pull: Annotated[
        Path | None,
        typer.Option("--from", help="The pull request's folder of entries; default: --submissions.", file_okay=False),
    ] = None,
    board: Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="As for gymboard submit.")] = None,
) -> None:
    """Copy an entry's payload parts from the submitter's address to the board's own release, and write down where.

    Example: gymboard ledger mirror my-entry --signers their.keys --from ../pull-request/submissions

    Before a merge. Fetches ask the copies first and the submitter's address second. Called again it goes on, and
    writes no second line. Exit codes: 0 the copies are there, 1 refused or interrupted, 2 wrong call.
    """
    from scoring.mirror import mirror as mirror_entry

    line = mirror_entry(submissions, pull or submissions, entry, signers, board, reason)
    typer.echo("nothing new to write down" if line is None else f"line {line.sequence}: {line.entry} {line.evidence}")


@app.command()
def waiting(
    submissions: Submissions = Path("submissions"),
    replay: Annotated[
        bool, typer.Option("--replay", help="Instead: regraded entries, and their tasks without a replay.")
    ] = False,
) -> None:
    """The signed runs about whose bytes nothing is decided yet, one a line: what the job on main regrades.

    Example: gymboard ledger waiting
    """
    from scoring.docket import unreplayed, waiting

    for name in waiting(submissions) if not replay else ():
        typer.echo(name)
    for name, tasks in unreplayed(submissions) if replay else ():
        typer.echo(f"{name} {','.join(tasks)}")


@app.command()
def recall(
    cache: Annotated[Path, typer.Argument(help="Folder of verdicts, for gymboard regrade --cache.")],
    submissions: Submissions = Path("submissions"),
) -> None:
    """Fill a cache with the ledger's verdicts: an artifact that was graded once is not drawn again.

    Example: gymboard ledger recall build/verdicts
    """
    from scoring.docket import recall

    typer.echo(f"{recall(submissions, cache)} verdict(s) recalled")


@app.command()
def settle(
    reports: Annotated[
        Path,
        typer.Argument(help="Folder of <entry>.regrade.json and <entry>.replay.json.", exists=True, file_okay=False),
    ],
    signers: Annotated[
        Path, typer.Option(help="Allowed-signers file of the submitters' keys.", exists=True, dir_okay=False)
    ],
    reason: Reason,
    submissions: Submissions = Path("submissions"),
) -> None:
    """Write down what was found of the waiting entries: inclusion, regrade and replay, or inclusion and downgrade.

    Example: gymboard ledger settle build/regrades --signers allowed_signers --reason "Merged, regraded on main."

    Runs nothing of an entry. Exit codes: 0 every waiting entry is settled, 1 one is not (its line says why; the others
    are written), 2 wrong call.
    """
    from harness.revoked import REVOKED
    from harness.signing import Signers
    from scoring.settle import settle

    faults = 0
    revoked = submissions / REVOKED
    listed = revoked if revoked.exists() else None
    for settled in settle(submissions, reports, Signers.read(signers, listed), reason):
        faults += settled.fault
        typer.echo(f"{'error: ' if settled.fault else ''}{settled.entry}: {settled.sentence}")
    raise typer.Exit(1 if faults else 0)
