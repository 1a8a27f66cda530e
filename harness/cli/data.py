"""`gymboard data`: fetch, list and verify the data of tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from harness.cli.common import AsJson, DatasetName, Mirror, Profile, ProfileChoice, TasksFolder

app = typer.Typer(no_args_is_help=True, help="Fetch, list and verify the tasks' data.")
Ids = Annotated[list[str] | None, typer.Argument(help="Task ids; default all.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no place outside this machine.")]
STEPS = 10


@app.command()
def prepare(
    ids: Ids = None,
    profile: Profile = ProfileChoice.official,
    mirror: Mirror = None,
    offline: Offline = False,
    dataset: DatasetName = "default",
    tasks_root: TasksFolder = None,
) -> None:
    """Fetch, verify and split the data of tasks; instant when it is there, resumed when it was interrupted.

    Example: gymboard data prepare house-price --mirror ../shared/data

    Exit codes: 0 all is there, 1 a task's data could not be prepared (the others were), 2 wrong call.
    """
    from harness.cli.common import choose_tasks
    from harness.data import prepare as prepare_data
    from harness.errors import DataError
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    failed = []
    for name in choose_tasks(ids or [], root):
        try:
            with _progress() as progress:
                spec = load_task(root / name).on(dataset)
                made = prepare_data(spec, root / name, profile.value, mirror=mirror, offline=offline, progress=progress)
        except DataError as error:
            failed.append(name)
            typer.echo(f"{name}: {error}", err=True)
        else:
            typer.echo(f"{name}: {'needs no data' if made is None else f'{made.folder}  sha256 {made.sha256}'}")
    if failed:
        typer.echo(f"gymboard: no data for {', '.join(failed)}; calling again goes on where it stopped", err=True)
        raise typer.Exit(1)


@app.command(name="list")
def list_data(ids: Ids = None, mirror: Mirror = None, tasks_root: TasksFolder = None, as_json: AsJson = False) -> None:
    """Every source file of tasks: its size, whether its digest is verified, and what this machine has of it.

    Example: gymboard data list mnli
    """
    from harness.cli.common import choose_tasks, emit, table
    from harness.data.folders import default_root as data_root
    from harness.data.state import prepared_profiles, source_states
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    specs = {name: load_task(root / name) for name in choose_tasks(ids or [], root)}
    ready = {name: prepared_profiles(spec, root / name, data_root()) for name, spec in specs.items()}
    states = [state for spec in specs.values() for state in source_states(spec, data_root(), mirror)]
    if as_json:
        sources = [
            {"task": state.task, "digest": state.digest, "where": state.where, "bytes_there": state.bytes_there}
            | {"source": state.source.model_dump(mode="json", exclude_none=True)}
            for state in states
        ]
        emit({"sources": sources, "prepared": ready})
        return
    rows = []
    for state in states:
        size = f"{state.source.size_bytes:,}" if state.source.size_bytes else "unknown"
        partly = f" ({state.bytes_there:,} bytes)" if state.where == "partial" else ""
        rows.append((state.task, state.source.name, size, state.digest, state.where + partly))
    table("", ("task", "source", "bytes", "digest", "here"), rows)
    for name, profiles in ready.items():
        words = ", ".join(f"{profile} {'prepared' if there else 'not prepared'}" for profile, there in profiles.items())
        typer.echo(f"{name}: {words or 'needs no data'}")


@app.command()
def verify(ids: Ids = None, tasks_root: TasksFolder = None) -> None:
    """Read every stored source and prepared file again and compare it with its digest.

    Example: gymboard data verify house-price

    Exit codes: 0 everything holds, 1 something does not, 2 wrong call.
    """
    from harness.cli.common import choose_tasks
    from harness.data.folders import default_root as data_root
    from harness.data.state import faults
    from harness.schema.task import load_task
    from harness.schema.task import tasks_root as default_root

    root = tasks_root or default_root()
    count, wrong = 0, 0
    for name in choose_tasks(ids or [], root):
        checked, problems = faults(load_task(root / name), root / name, data_root())
        for problem in problems:
            typer.echo(str(problem))
        count, wrong = count + checked, wrong + len(problems)
    typer.echo(f"{count} source(s) and folder(s) read, {wrong} fault(s)")
    raise typer.Exit(1 if wrong else 0)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each file on a terminal; elsewhere one plain line for every tenth of it."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _plain_lines()
        return
    text = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(text, *columns, console=console, transient=True) as bars:
        tasks = {}

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield progress


def _plain_lines() -> Callable[[str, int, int], None]:
    said: dict[str, int] = {}

    def progress(name: str, done: int, total: int) -> None:
        tenth = done * STEPS // max(total, 1)
        if said.get(name) != tenth:
            said[name] = tenth
            typer.echo(f"{name}: {done:,} of {total:,} bytes", err=True)

    return progress
