"""`gymboard fetch | check | regrade`: what a maintainer, or a robot, does with an entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.bundle import EntryFolder, RevokedFile, SignersFile
from harness.cli.common import AsJson, Mirror, SandboxChoice, SandboxKind, progress_bar, table

if TYPE_CHECKING:
    from harness.regrade import GraderData, Progress
    from harness.regrade_plan import Planned
    from harness.schema.bundle import Bundle
    from harness.schema.regrade import RegradeReport
    from harness.schema.task import ProfileName, TaskSpec


def check(
    entry: EntryFolder,
    as_json: AsJson = False,
    board: Annotated[
        Path | None,
        typer.Option(
            help="The board's folder of entries: whose artifacts are they? (GB111)", file_okay=False, exists=True
        ),
    ] = None,
) -> None:
    """Check an entry against every rule of the board; all problems at once, each with its code.

    Example: gymboard check my-entry

    Exit codes: 0 acceptable (warnings say what it can become), 1 not acceptable, 2 wrong call.
    """
    from harness.check import check as check_entry
    from harness.check import declarations, summary
    from harness.cli.common import emit

    problems = check_entry(entry, board=board)
    line, code = summary(problems)
    declares = declarations(entry)
    if as_json:
        rows = [{"severity": p.severity, "path": p.path, "message": p.message} for p in problems]
        emit({"problems": rows, "declares": dict(declares), "acceptable": code == 0})
    else:
        for text in [*map(str, problems), *(f"declares: {said}: {means}" for said, means in declares), line]:
            typer.echo(text)
    raise typer.Exit(code)


LedgerFile = Annotated[
    Path | None,
    typer.Option(
        help="The ledger, for the board's own copies; default: ledger.jsonl beside the entry.", dir_okay=False
    ),
]


def fetch(entry: EntryFolder, signers: SignersFile, ledger: LedgerFile = None, revoked: RevokedFile = None) -> None:
    """Fetch the payload parts of a signed entry that lie elsewhere, beside its bundle.json.

    Example: gymboard fetch my-entry --signers allowed_signers

    From the board's own copy where the ledger names one (gymboard ledger mirror), else from the signed address; over
    https and from public addresses only, whatever redirects say; never more than the signed sizes. Exit codes: 0 every
    part is there (verify judges those that were there before), 1 one could not be had, 2 wrong call.
    """
    from harness.fetch import fetch as fetch_parts
    from harness.mirrors import LEDGER
    from harness.revoked import revoked_beside
    from harness.signing import Signers

    keys = Signers.read(signers, revoked or revoked_beside(entry))
    fetched = fetch_parts(entry, keys, ledger=ledger or entry.resolve().parent / LEDGER)
    size = sum(part.size_bytes for part in fetched)
    typer.echo(f"fetched: {len(fetched)} part(s), {size:,} bytes")


def regrade(
    entry: EntryFolder,
    signers: Annotated[
        Path | None, typer.Option(help="Public keys, one a line, or an OpenSSH allowed-signers file.", dir_okay=False)
    ] = None,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of verdicts: pushing the same bytes again does not re-roll.")
    ] = None,
    revoked: RevokedFile = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what would be graded and how long it takes; needs no signers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Grade an entry's artifacts again with fresh seeds, and compare with what it claims.

    Example: gymboard regrade my-entry --signers allowed_signers --sandbox docker

    Writes my-entry.regrade.json beside the folder; --plan writes and fetches nothing. Exit codes: 0 every claim
    agrees, 1 one does not, or something could not be graded, 2 wrong call.
    """
    from harness.cli.common import emit
    from harness.errors import UsageError
    from harness.regrade import write_report

    if plan:
        _plan(entry, as_json)
        return
    if signers is None:
        raise UsageError("--signers is missing: whose keys count? --plan alone needs none")
    report = regraded(entry, signers, sandbox, mirror, cache, revoked, quiet=as_json)
    written = write_report(report, entry)
    if as_json:
        emit(report.model_dump(mode="json", exclude_none=True))
    else:
        _print(report)
        typer.echo(f"report: {written}")
    missed = len(report.attempts) < _handed_in(entry)
    raise typer.Exit(1 if report.disagreements or missed else 0)


def regraded(
    entry: Path,
    signers: Path,
    sandbox: SandboxChoice,
    mirror: Path | None,
    cache: Path | None,
    revoked: Path | None,
    *,
    quiet: bool,
) -> RegradeReport:
    """Verify, then grade again. Raises VerificationError, EngineUnavailable, DataError."""
    from harness.cli.images import ensure
    from harness.errors import VerificationError
    from harness.regrade import regrade as regrade_entry
    from harness.revoked import revoked_beside
    from harness.sandbox import open_engine
    from harness.signing import Signers
    from harness.verify import verify

    verified = verify(entry, Signers.read(signers, revoked or revoked_beside(entry)))
    with open_engine(sandbox.value) as engine, _progress(quiet=quiet) as progress:
        for family in sorted(_families(verified.bundle)):
            ensure(family, engine.kind)
        report = regrade_entry(entry, engine, _grader_data(mirror), cache=cache, progress=progress)
    if report.bundle_sha256 != verified.bundle_sha256:
        raise VerificationError("bundle", f"{entry} changed while it was regraded")
    return report


def _planned(entry: Path) -> tuple[Planned, ...]:
    from harness.regrade_plan import plan
    from harness.schema.bundle import Bundle
    from harness.schema.task import load_tasks
    from harness.signing import BUNDLE
    from harness.verify import read_bundle

    return plan(Bundle.from_json(read_bundle(entry), subject=BUNDLE), load_tasks())


def _handed_in(entry: Path) -> int:
    """How many artifacts a whole regrade grades; none where the agent handed in nothing."""
    return sum(one.attempts for one in _planned(entry))


def _plan(entry: Path, as_json: bool) -> None:
    from dataclasses import asdict

    from harness.cli.common import emit

    planned = _planned(entry)
    if as_json:
        emit([asdict(one) for one in planned])
        return
    rows = [
        (
            one.task,
            one.kind,
            f"{one.grades} of {one.attempts}",
            "unknown" if one.estimate_s is None else f"{one.estimate_s:.0f} s",
            f"{one.bound_s / 3600:.1f} h",
            f"{one.download_bytes / 1e6:.1f} MB" if one.download_bytes else "-",
            f"{one.replay}: {_replays(one)}",
            one.note,
        )
        for one in planned
    ]
    columns = ("task", "kind", "to grade", "by its own word", "at most", "to fetch", "replay", "")
    table("", columns, rows)
    known = sum(one.estimate_s or 0.0 for one in planned)
    unknown = sum(one.estimate_s is None for one in planned)
    bound = sum(one.bound_s for one in planned) / 3600
    missing = f" and {unknown} task(s) of unknown length" if unknown else ""
    typer.echo(f"together {known:.0f} s{missing}, at most {bound:.1f} h, one grade after the other")
    cheap = [one for one in planned if one.replay == "ci"]
    typer.echo(f"replays of the job on main: {sum(one.replay_s or 0.0 for one in cheap):.0f} s as they were recorded")


def _replays(one: Planned) -> str:
    if not one.replays:
        return "none"
    return f"{one.replays} in " + ("unknown time" if one.replay_s is None else f"{one.replay_s:.0f} s")


def _families(bundle: Bundle) -> set[str]:
    """The image families of a bundle's tasks, as far as they are ours."""
    from harness.schema.task import load_tasks

    tasks = load_tasks()
    return {str(tasks[episode.task].image) for episode in bundle.episodes if episode.task in tasks}


def _grader_data(mirror: Path | None) -> GraderData:
    from harness.data import prepare

    def data(task: TaskSpec, folder: Path, profile: ProfileName) -> Path | None:
        prepared = prepare(task, folder, profile, mirror=mirror)
        return prepared.grader if prepared else None

    return data


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    """A bar on stderr while artifacts are graded; nothing where stderr is no terminal."""
    bar, _ = progress_bar(quiet=quiet)
    with bar:
        task = bar.add_task("verifying", total=None)
        yield lambda done, total, label: bar.update(task, completed=done, total=total, description=label)


def _print(report: RegradeReport) -> None:
    rows = []
    for found in report.attempts:
        claimed = "-" if found.claimed is None else f"{found.claimed:.5f}"
        measured = found.measured.metrics.get(found.metric)
        values = (
            claimed,
            "invalid" if measured is None else f"{measured:.5f}",
            "-" if found.allowed is None else f"{found.allowed:.2g}",
        )
        rows.append(
            (
                f"{found.task}/seed-{found.seed}",
                str(found.attempt),
                found.metric,
                *values,
                "agrees" if found.agrees else "DISAGREES",
            )
        )
    if rows:
        table("", ("episode", "attempt", "metric", "claimed", "regraded", "allowed apart", ""), rows)
    else:
        typer.echo("nothing was graded" if report.obstacles else "nothing was handed in: there is nothing to grade")
    for obstacle in report.obstacles:
        typer.echo(f"note: {obstacle}")
    typer.echo(f"this evidence supports level {report.supports}")
