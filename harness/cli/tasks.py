"""`gymboard tasks`: look at tasks and prove them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import AsJson, Mirror, Profile, ProfileChoice, SandboxChoice, SandboxKind, TasksFolder

tasks_app = typer.Typer(no_args_is_help=True, help="Look at tasks and prove them.")
Ids = Annotated[list[str] | None, typer.Argument(help="Task ids; default all.")]


@tasks_app.command(name="list")
def list_tasks(tasks_root: TasksFolder = None, as_json: AsJson = False) -> None:
    """The tasks, their metric and baseline.

    Example: gymboard tasks list
    """
    from harness.cli.common import emit, table
    from harness.schema.task import load_tasks

    specs = load_tasks(tasks_root)
    if as_json:
        emit({name: spec.model_dump(mode="json", exclude_none=True) for name, spec in specs.items()})
        return
    rows = []
    for name, spec in specs.items():
        upstream = spec.baseline("official", "upstream")
        measured = spec.baseline("official")
        cells = [f"{measured.value:.4f}" if measured else "not measured", f"{upstream.value:.4f}" if upstream else "-"]
        rows.append((name, spec.domain, f"{spec.metric.label} ({spec.metric.direction})", *cells, spec.grader.kind))
    table("", ("task", "domain", "metric", "baseline", "upstream's", "grader"), rows)


@tasks_app.command()
def show(task: str, tasks_root: TasksFolder = None) -> None:
    """What an agent is told, verbatim.

    Example: gymboard tasks show colonel-blotto
    """
    from harness.cli.common import choose_tasks
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    [name] = choose_tasks([task], root)
    typer.echo((root / name / "instruction.md").read_text(encoding="utf-8"))


@tasks_app.command()
def check(
    ids: Ids = None,
    profile: Profile = ProfileChoice.smoke,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    tasks_root: TasksFolder = None,
    as_json: AsJson = False,
) -> None:
    """Prove tasks: baseline as declared, oracle wins, nop gets nothing, no exploit gains.

    Example: gymboard tasks check colonel-blotto --profile official --sandbox docker

    Exit codes: 0 every finding passed, 1 one did not, 2 wrong call.
    """
    from harness.cli.common import choose_tasks, emit
    from harness.cli.images import ensure
    from harness.proof import Finding, not_tried, prove
    from harness.runner.run import place_of
    from harness.sandbox import open_engine
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    findings: list[Finding] = []
    chosen = choose_tasks(ids or [], root)
    with open_engine(sandbox.value) as engine, tempfile.TemporaryDirectory(prefix="gymboard-check-") as scratch:
        for name in chosen:
            spec = load_task(root / name)
            ensure(spec.image, engine.kind)
            place = place_of(root / name, profile.value, engine, mirror)
            for finding in prove(place, Path(scratch) / name):
                findings.append(finding)
                if not as_json:
                    typer.echo(_line(finding))
            if (untried := not_tried(place)) and not as_json:
                typer.echo(f"not tried: {name}: {', '.join(untried)}: only Docker claims to stop them")
    failed = [finding for finding in findings if not finding.passed]
    if as_json:
        emit([finding.as_json() for finding in findings])
    else:
        typer.echo(f"{len(findings) - len(failed)} of {len(findings)} findings passed on {len(chosen)} task(s)")
    raise typer.Exit(1 if failed else 0)


def _line(finding: object) -> str:
    from harness.proof import Finding

    assert isinstance(finding, Finding)
    value = "" if finding.value is None else f"{finding.value:.5f}"
    error = "" if finding.stderr is None else f"+- {finding.stderr:.5f}"
    mark = "pass" if finding.passed else "FAIL"
    detail = " ".join(finding.detail.split())[:110]
    return (
        f"{mark}  {finding.task:<18} {finding.what:<34} {finding.outcome:<8} {value:>9} {error:<11} {detail}".rstrip()
    )
