"""`gymboard tasks`: look at tasks and prove them."""

from __future__ import annotations

import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import (
    AsJson,
    DatasetName,
    Mirror,
    Profile,
    ProfileChoice,
    SandboxChoice,
    SandboxKind,
    Starter,
    StarterChoice,
    TasksFolder,
)

tasks_app = typer.Typer(no_args_is_help=True, help="Look at tasks and prove them.")
Ids = Annotated[list[str] | None, typer.Argument(help="Task ids; default all.")]


class KindChoice(StrEnum):
    """The three kinds of grader."""

    predictions = "predictions"
    play = "play"
    claims = "claims"


@tasks_app.command(name="list")
def list_tasks(tasks_root: TasksFolder = None, as_json: AsJson = False) -> None:
    """The tasks, their metric and baseline, the starters and datasets that `gymboard run` takes for them.

    Example: gymboard tasks list
    """
    from harness.cli.common import emit, table
    from harness.schema.task import DEFAULT_DATASET, load_tasks

    specs = load_tasks(tasks_root)
    if as_json:
        emit({name: spec.model_dump(mode="json", exclude_none=True) for name, spec in specs.items()})
        return
    rows: list[tuple[str, ...]] = []
    for name, spec in specs.items():
        upstream = spec.baseline("official", "upstream")
        measured = spec.baseline("official")
        cells = [f"{measured.value:.4f}" if measured else "not measured", f"{upstream.value:.4f}" if upstream else "-"]
        metric, starters = f"{spec.metric.label} ({spec.metric.direction})", ", ".join(spec.starters)
        datasets = ", ".join([DEFAULT_DATASET, *spec.datasets])
        rows.append((name, spec.domain, metric, *cells, spec.grader.kind, starters, datasets))
    table("", ("task", "domain", "metric", "baseline", "upstream's", "grader", "starters", "datasets"), rows)


@tasks_app.command()
def show(
    task: str,
    starter: Starter = StarterChoice.baseline,
    dataset: DatasetName = "default",
    tasks_root: TasksFolder = None,
) -> None:
    """What an agent is told, verbatim; on stderr, for you, which other starters and datasets there are.

    Example: gymboard tasks show colonel-blotto --starter buggy
    """
    from harness.cli.common import choose_tasks
    from harness.runner.starter import instruction
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    [name] = choose_tasks([task], root)
    spec = load_task(root / name)
    spec.on(dataset)
    typer.echo(instruction(spec, root / name, spec.starter(starter.value), dataset))
    for other, variant in spec.starters.items():
        if variant is not None:
            typer.echo(f"--starter {other}: {variant.summary}", err=True)
    for label, data in spec.datasets.items():
        typer.echo(f"--dataset {label}: {data.summary}", err=True)


@tasks_app.command()
def new(
    task: Annotated[str, typer.Argument(metavar="ID", help="Lower-case words joined by -.")],
    kind: Annotated[KindChoice, typer.Option(help="What grades it: data, a player, or a model's audited claims.")],
    tasks_root: TasksFolder = None,
) -> None:
    """A new task's folder: a whole small task, which passes `tasks check` at once and is yours to change.

    Example: gymboard tasks new tide-tables --kind predictions

    Exit codes: 0 made, 2 wrong call (the folder is there, or the id is none).
    """
    from harness.errors import UsageError
    from harness.scaffold import new_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    if tasks_root is None and not (root.parent / "pyproject.toml").is_file():
        raise UsageError(f"{root} belongs to an installed package; tasks are added in a checkout of Gymboard")
    folder = new_task(root, task, kind.value)
    typer.echo(f"made {folder}\nprove it: gymboard tasks check {task} --profile smoke --sandbox local")


@tasks_app.command()
def check(
    ids: Ids = None,
    every: Annotated[bool, typer.Option("--all", help="Every task; the same as naming none.")] = False,
    profile: Profile = ProfileChoice.smoke,
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    tasks_root: TasksFolder = None,
    as_json: AsJson = False,
) -> None:
    """Prove tasks, on each of their datasets: baseline as declared, oracle wins, nop gets nothing, no exploit gains.

    Every finding is a line as soon as it is found; one table with a row for each task ends the call.

    Example: gymboard tasks check --all --profile smoke --sandbox docker

    Exit codes: 0 every finding passed, 1 one did not, 2 wrong call.
    """
    from harness.cli.common import choose_tasks, emit, table
    from harness.cli.images import ensure
    from harness.cli.proofs import COLUMNS, Proof, advice, failures, line, row, untried
    from harness.errors import UsageError
    from harness.proof import Finding, not_tried, prove
    from harness.runner.run import place_of
    from harness.sandbox import open_engine
    from harness.schema.task import DEFAULT_DATASET, load_task
    from harness.schema.task import tasks_root as default_root

    if every and ids:
        raise UsageError(f"--all and {', '.join(ids)}: say one of them")
    root = tasks_root or default_root()
    proofs: list[Proof] = []
    chosen = choose_tasks(ids or [], root)
    with open_engine(sandbox.value) as engine, tempfile.TemporaryDirectory(prefix="gymboard-check-") as scratch:
        for name in chosen:
            spec = load_task(root / name)
            ensure(spec.image, engine.kind)
            for dataset in (DEFAULT_DATASET, *spec.datasets):
                began = time.monotonic()
                findings: list[Finding] = []
                place = place_of(root / name, profile.value, engine, mirror, spec, dataset=dataset)
                for finding in prove(place, Path(scratch) / name / dataset):
                    findings.append(finding)
                    if not as_json:
                        typer.echo(line(finding))
                proofs.append(Proof(findings, not_tried(place), time.monotonic() - began))
        kind = engine.kind
    failed = failures(proofs)
    if as_json:
        emit([finding.as_json() for proof in proofs for finding in proof.findings])
        raise typer.Exit(1 if failed else 0)
    words = f"--profile {profile.value} --sandbox {kind}"
    table(f"\n{words}; exploits: how many were stopped", COLUMNS, map(row, proofs))
    for proof in proofs:
        if proof.untried:
            typer.echo(untried(proof))
    for finding in failed:
        typer.echo(advice(finding, words))
    total, minutes = sum(len(proof.findings) for proof in proofs), sum(proof.seconds for proof in proofs) / 60
    tasks = "1 task" if len(chosen) == 1 else f"{len(chosen)} tasks"
    typer.echo(f"{total - len(failed)} of {total} findings passed on {tasks} in {minutes:.1f} minutes")
    raise typer.Exit(1 if failed else 0)
