"""`gymboard runs`: what lies under runs/, how it stands, where the time went, and removing it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.common import AsJson, TasksFolder

if TYPE_CHECKING:
    from harness.runs.clean import Going
    from harness.runs.show import EpisodeState
    from harness.runs.survey import FoundRun
    from harness.runs.timings import Timings

app = typer.Typer(no_args_is_help=True, help="What lies under runs/: list it, look into a run, remove it.")
Runs = Annotated[Path, typer.Option("--runs", help="Where runs are kept.")]


@app.command("list")
def list_(runs: Runs = Path("runs"), as_json: AsJson = False) -> None:
    """Every run: how far it is, whether it is running now, what it spent, its age and size. Changes nothing.

    Examples:

      gymboard runs list

      gymboard runs list --json
    """
    from harness.cli.common import emit, table
    from harness.runs.survey import survey
    from harness.terminal import plain

    found = survey(runs)
    if as_json:
        emit([_record(one) for one in found])
        return
    rows = [
        (
            one.name,
            f"{one.manifest.agent} {one.manifest.agent_version}"
            + (f" · {one.manifest.model}" if one.manifest.model else ""),
            one.manifest.profile,
            f"{one.done}/{one.total}",
            "running" if one.running else "done" if one.done == one.total else "unfinished",
            _usd(one.spent_usd),
            _age(one.manifest.created),
            _size(one.bytes),
        )
        for one in found
        if one.manifest
    ]
    if rows:
        table("", ("run", "agent", "profile", "episodes", "state", "spent", "age", "size"), rows)
    else:
        typer.echo(f"no run in {runs}")
    for one in found:
        if one.fault:
            typer.echo(f"no run: {plain(one.name)}: {plain(one.fault)}")


@app.command()
def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name of the run.")],
    runs: Runs = Path("runs"),
    tasks_root: TasksFolder = None,
    as_json: AsJson = False,
) -> None:
    """Each episode of a run: its state, score, steps, cost, and where its time went. Also while it runs.

    `harness` is what no model, grader, container, command or agent took. Changes nothing.

    Examples:

      gymboard runs show baseline-smoke

      gymboard runs show baseline-smoke --json
    """
    from harness.cli.common import emit
    from harness.runs.show import episodes
    from harness.schema.task import tasks_root as default_root

    found = _named(runs, run)
    assert found.manifest is not None
    states = list(episodes(found.folder, found.manifest, tasks_root or default_root()))
    if as_json:
        whole = _spent([state.timings for state in states])
        records = [_state_record(state) for state in states]
        emit(_record(found) | {"episodes": records, "timings": whole})
    else:
        _print(found, states)


@app.command()
def clean(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Name of a run; default every run.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without this, only say what would go.")] = False,
    keep_artifacts: Annotated[
        bool,
        typer.Option(
            "--keep-artifacts",
            help="Keep what was handed in, its grades and run.json; the run can then not be packed or replayed.",
        ),
    ] = False,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Remove runs; without --yes only say what would go and how much it is.

    A run that another process works on stays, and so does whatever is no run of Gymboard's.

    Exit codes: 0 done or said, 2 the named RUN may not go.

    Examples:

      gymboard runs clean

      gymboard runs clean baseline-smoke --yes

      gymboard runs clean --keep-artifacts --yes
    """
    from harness.cli.common import emit
    from harness.errors import UsageError, in_words
    from harness.runs.clean import going, remove
    from harness.runs.survey import survey
    from harness.terminal import plain

    chosen = [_named(runs, run, sound=False)] if run is not None else survey(runs)
    gone: list[Going] = []
    left: dict[str, str] = {}
    for found in chosen:
        try:
            gone.append((remove if yes else going)(found, keep_artifacts=keep_artifacts))
        except (UsageError, OSError) as error:
            if run is not None:
                raise
            left[found.name] = plain(in_words(error))
    total = sum(one.bytes for one in gone)
    if as_json:
        records = [{"run": one.found.name, "files": one.files, "bytes": one.bytes} for one in gone]
        emit({"removed": yes, "bytes": total, "runs": records, "left": left})
        return
    for one in gone:
        verb = "removed" if yes else "would remove"
        typer.echo(f"{verb} {plain(str(one.found.folder))}: {one.files} files, {_size(one.bytes)}{_lost(one.found)}")
    for why in left.values():
        typer.echo(f"left: {why}")
    hint = "" if yes or not gone else "; nothing is removed without --yes"
    typer.echo(f"{_size(total)} in {len(gone)} run(s){hint}")


def _named(runs: Path, name: str, *, sound: bool = True) -> FoundRun:
    """The run of that name. Raises UsageError; `sound`: also for what is no run."""
    import difflib

    from harness.errors import UsageError
    from harness.runs.survey import look

    if Path(name).name != name or name in ("", ".", ".."):
        raise UsageError(f"{name!r} is no name of a run; it is the name of a folder in {runs}")
    if not (runs / name).is_symlink() and not (runs / name).exists():
        known = sorted(one.name for one in runs.iterdir()) if runs.is_dir() else []
        near = difflib.get_close_matches(name, known, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no run {name} in {runs}.{hint}")
    found = look(runs / name)
    if sound and found.fault:
        raise UsageError(f"{found.folder} {found.fault}")
    return found


def _print(found: FoundRun, states: Sequence[EpisodeState]) -> None:
    from harness.cli.common import table
    from harness.runs.timings import PHASES, REST, together
    from harness.terminal import plain

    whole = together([state.timings for state in states])
    phases = [name for name in (*PHASES, REST) if whole.phases.get(name)]
    rows = [
        (
            state.key,
            state.state,
            state.exit_status or "-",
            "-" if state.score is None else f"{state.score:.4g}",
            str(state.steps),
            _usd(state.cost_usd),
            *(_seconds(state.timings.phases.get(name)) for name in phases),
            _seconds(state.timings.total_s or None),
            " ".join(plain(state.detail).split())[:60],
        )
        for state in states
    ]
    spent = [_seconds(whole.phases[name]) for name in phases]
    rows.append(
        (
            "all",
            f"{found.done}/{found.total} done",
            "",
            "",
            "",
            _usd(found.spent_usd),
            *spent,
            _seconds(whole.total_s),
            "",
        )
    )
    shares = [f"{whole.share(name):.1%}" for name in phases]
    rows.append(("share", "", "", "", "", "", *shares, "", ""))
    table(_head(found), ("episode", "state", "exit", "score", "steps", "cost", *phases, "time", "why"), rows)
    if begun := sum(state.tries for state in states):
        typer.echo(f"{begun} unfinished tries lie beside their episodes; their time is not counted")


def _head(found: FoundRun) -> str:
    from harness.terminal import plain

    manifest = found.manifest
    assert manifest is not None
    agent = f"{manifest.agent} {manifest.agent_version}" + (f" with {manifest.model}" if manifest.model else "")
    state = "running now" if found.running else f"begun {_age(manifest.created)} ago"
    return plain(f"{found.name}: {agent}, {manifest.profile}, {manifest.sandbox}, {state}, {_size(found.bytes)}")


def _record(found: FoundRun) -> dict[str, Any]:
    record: dict[str, Any] = {"run": found.name, "folder": str(found.folder)}
    if found.manifest is None:
        return record | {"fault": found.fault}
    manifest = found.manifest
    told = {
        name: getattr(manifest, name) for name in ("agent", "agent_version", "model", "profile", "sandbox", "created")
    }
    return (
        record
        | told
        | {
            "running": found.running,
            "done": found.done,
            "total": found.total,
            "spent_usd": found.spent_usd,
            "bytes": found.bytes,
        }
    )


def _state_record(state: EpisodeState) -> dict[str, Any]:
    names = ("task", "seed", "state", "exit_status", "detail", "score", "steps", "cost_usd", "tries")
    return {name: getattr(state, name) for name in names} | {"timings": _spent([state.timings])}


def _spent(many: Sequence[Timings]) -> dict[str, Any]:
    """Seconds and shares a phase."""
    from harness.runs.timings import together

    whole = together(many)
    return {
        "total_s": round(whole.total_s, 6),
        "phases_s": {name: round(seconds, 6) for name, seconds in whole.phases.items()},
        "shares": {name: round(whole.share(name), 6) for name in whole.phases},
        "parts_s": {name: round(seconds, 6) for name, seconds in whole.parts.items()},
        "lives": whole.lives,
    }


def _lost(found: FoundRun) -> str:
    """What a person should know before a run goes."""
    if found.manifest is None or found.done == found.total:
        return ""
    paid = f", {_usd(found.spent_usd)} paid" if found.spent_usd else ""
    return f" (unfinished: {found.done} of {found.total} episodes{paid}; --resume could go on with it)"


def _usd(usd: float | None) -> str:
    return "-" if usd is None else f"${usd:.4f}"


def _seconds(seconds: float | None) -> str:
    if not seconds:
        return "-"
    if seconds < 100:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _age(created: str) -> str:
    from datetime import UTC, datetime

    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds())
    for unit, of in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * of:
            return f"{seconds / of:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
