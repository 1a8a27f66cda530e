"""Options and output shared by the harness's commands."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class ProfileChoice(StrEnum):
    """How large a task is run."""

    official = "official"
    smoke = "smoke"


class StarterChoice(StrEnum):
    """What the agent finds in its workspace."""

    baseline = "baseline"
    none = "none"
    buggy = "buggy"


class SandboxChoice(StrEnum):
    """Where it runs; auto takes Docker when an engine answers."""

    auto = "auto"
    docker = "docker"
    local = "local"


Profile = Annotated[ProfileChoice, typer.Option(help="official is ranked; smoke takes minutes and never is.")]
Starter = Annotated[
    StarterChoice, typer.Option(help="What the agent begins with; anything but baseline is never ranked.")
]
DatasetName = Annotated[
    str, typer.Option("--dataset", help="Another dataset of the task (gymboard tasks list); never ranked.")
]
SandboxKind = Annotated[SandboxChoice, typer.Option("--sandbox", help="Where agents and graders run.")]
Mirror = Annotated[
    Path | None,
    typer.Option(
        help="Folder searched for official data before the network.",
        envvar="GYMBOARD_DATA_MIRROR",
        file_okay=False,
        exists=True,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for programs.")]
TasksFolder = Annotated[Path | None, typer.Option("--tasks-root", help="Another folder of tasks.", hidden=True)]


_DRIVES = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that JSON leaves as they are and a terminal or an editor would act on, or that no encoding has."""


def emit(document: Any) -> None:
    """Print one JSON document; foreign text in it can drive no terminal."""
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    typer.echo(_DRIVES.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def choose_tasks(names: Sequence[str], root: Path) -> list[str]:
    """`all` or nothing: every task; else the named ones. Raises UsageError for a stranger, with the nearest name."""
    import difflib

    from harness.errors import UsageError

    known = sorted(file.parent.name for file in root.glob("*/task.toml"))
    if not known:
        raise UsageError(f"{root} holds no task (<task>/task.toml); name another folder of tasks, --tasks-root")
    wanted = [name for text in names for name in text.split(",") if name]
    if not wanted or wanted == ["all"]:
        return known
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UsageError(f"no task {name!r}; the tasks here are {', '.join(known)}.{hint}")
    return list(dict.fromkeys(wanted))


def table(title: str, columns: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a plain table whose text is never taken for markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title or None, box=None, title_justify="left", pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        shown.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(shown)


def progress_bar(*, quiet: bool) -> tuple[Progress, Console]:
    """A bar on stderr and the console to print beside it; where stderr is no terminal only the console speaks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, quiet=quiet)
    columns = (SpinnerColumn(), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn())
    text = TextColumn("{task.description}", markup=False)
    return Progress(*columns, text, console=console, transient=True, disable=quiet or not console.is_terminal), console
