"""`gymboard replay`: a recorded episode, or a whole entry, executed again without any model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli.common import AsJson, Mirror, SandboxChoice, SandboxKind, TasksFolder

if TYPE_CHECKING:
    from harness.replay import Recorded, Replay


def replay(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="RUN/<task>/seed-<n>, BUNDLE#<task>/<seed>, or an entry's folder.")
    ],
    sandbox: SandboxKind = SandboxChoice.auto,
    mirror: Mirror = None,
    out: Annotated[
        Path | None, typer.Option(help="Keep what was replayed in this new folder.", file_okay=False)
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(help="An entry: these tasks, comma-separated; default those with replay = ci in task.toml."),
    ] = None,
    signers: Annotated[
        Path | None, typer.Option(help="An entry: whose signature to verify first.", exists=True, dir_okay=False)
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="An entry: the folder of gymboard regrade --cache; nothing is drawn twice.")
    ] = None,
    within: Annotated[
        float | None,
        typer.Option(min=0, help="An entry: begin no task whose recorded seconds no longer fit into these."),
    ] = None,
    tasks_root: TasksFolder = None,
    as_json: AsJson = False,
) -> None:
    """Execute recorded actions again in fresh sandboxes, and say where they led elsewhere. Asks no model.

    Example: gymboard replay runs/baseline-smoke/house-price/seed-0
    Example: gymboard replay submissions/my-entry --cache build/verdicts

    An entry's predictions are made under fresh ids in another order, so that pasted answers fail; what came of it is
    written to my-entry.replay.json beside the folder.

    Exit codes: 0 the same exit codes, artifacts and grades (of an entry: every replayed task agrees; where nothing can
    be replayed, it says so), 1 something differs, or what should be replayed was not, 2 wrong call.
    """
    from harness.errors import UsageError

    if out and out.exists():
        raise UsageError(f"{out} is there already; choose a new folder for what is replayed")
    if Path(what, "bundle.json").is_file():
        from harness.cli.replay_entry import Asked, replay_command

        replay_command(
            Path(what), Asked(sandbox.value, mirror, out, tasks, signers, cache, within, tasks_root), as_json
        )
    elif tasks or signers or cache or within is not None:
        raise UsageError(
            f"{what} is no entry: --tasks, --signers, --cache and --within are for a folder with bundle.json"
        )
    else:
        _one(what, sandbox.value, mirror, out, tasks_root, as_json=as_json)


def _one(
    what: str,
    sandbox: Literal["auto", "docker", "local"],
    mirror: Path | None,
    out: Path | None,
    tasks_root: Path | None,
    *,
    as_json: bool,
) -> None:
    import tempfile

    from harness.cli.common import emit
    from harness.replay import recorded

    was = recorded(what)
    with tempfile.TemporaryDirectory() as made:
        found = _replayed(was, out or Path(made) / "episode", sandbox, mirror, tasks_root)
    if as_json:
        emit({**found.model_dump(mode="json"), "same": found.same, "grades_agree": found.grades_agree})
    else:
        _print(found)
    raise typer.Exit(0 if found.same else 1)


def _replayed(
    was: Recorded, out: Path, sandbox: Literal["auto", "docker", "local"], mirror: Path | None, tasks_root: Path | None
) -> Replay:
    from harness.cli.images import ensure
    from harness.replay import replay as execute
    from harness.runner.run import place_of
    from harness.sandbox import open_engine
    from harness.schema.task import DEFAULT_DATASET
    from harness.schema.task import tasks_root as default_root

    record = was.episode
    with open_engine(sandbox) as engine:
        folder = (tasks_root or default_root()) / record.task
        starter, dataset = record.variant or "baseline", record.dataset or DEFAULT_DATASET
        place = place_of(folder, record.profile, engine, mirror, starter=starter, dataset=dataset)
        ensure(place.task.image, engine.kind)
        return execute(was, place, out)


def _print(found: Replay) -> None:
    """Divergences and refusals hold what the recorded actions printed."""
    from harness.terminal import plain

    typer.echo(f"{found.task} seed {found.seed}: {found.steps} steps")
    if found.diverged_at is not None:
        typer.echo(f"diverged at step {found.diverged_at}: {plain(found.divergence)}")
    elif found.observations_differ_at is not None:
        typer.echo(f"the text of step {found.observations_differ_at} differs; every exit code is as recorded")
    for attempt in found.attempts:
        same = "the same bytes" if attempt.recorded_sha256 == attempt.replayed_sha256 else "OTHER BYTES"
        same = same if attempt.recorded_sha256 else "its bytes are not known"
        typer.echo(f"attempt {attempt.index} (step {attempt.step}): {same}; {plain(attempt.sentence)}")
    grades = "the grades agree" if found.grades_agree else "the grades DISAGREE"
    typer.echo("the same run" if found.same else f"not the same run; {grades}")
