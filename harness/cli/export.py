"""`gymboard export`: recorded episodes as a training set, ATIF documents or Inspect logs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.common import TasksFolder


class FormatChoice(StrEnum):
    """What is written."""

    jsonl = "jsonl"
    parquet = "parquet"
    atif = "atif"
    inspect = "inspect"


class LevelChoice(StrEnum):
    """The least that must be known of an entry."""

    unsigned = "unsigned"
    signed = "signed"
    regraded = "regraded"


def export(
    sources: Annotated[list[Path], typer.Argument(metavar="RUN|ENTRY...", help="Folders of runs or of entries.")],
    out: Annotated[Path, typer.Option(help="File to write (jsonl, parquet) or folder (atif, inspect).")],
    form: Annotated[FormatChoice, typer.Option("--format", help="jsonl and parquet: one row an episode.")] = (
        FormatChoice.jsonl
    ),
    success: Annotated[bool, typer.Option("--success", help="Only episodes that submitted a valid artifact.")] = False,
    beats_baseline: Annotated[
        bool, typer.Option("--beats-baseline", help="Only episodes whose final score is better than the baseline's.")
    ] = False,
    level: Annotated[
        LevelChoice, typer.Option(help="Only entries of this level or above; needs --signers.")
    ] = LevelChoice.unsigned,
    signers: Annotated[Path | None, typer.Option(help="Public keys, as for gymboard verify.", dir_okay=False)] = None,
    tasks_root: TasksFolder = None,
) -> None:
    """Write episodes as chat messages with tools, rewards and scores, or in another harness's format.

    Keys, tokens, e-mail addresses and home paths are scrubbed. Columns: docs/data.html.

    Examples:

      gymboard export runs/react-official --out train.jsonl --success --beats-baseline

      gymboard export my-entry --format parquet --out train.parquet --level signed --signers allowed_signers

    Exit codes: 0 written, 1 an entry does not verify, 2 wrong call, or no episode is left.
    """
    from harness.errors import UsageError
    from harness.export.chat import row
    from harness.export.files import write_atif, write_jsonl, write_parquet
    from harness.export.inspect_log import write_inspect
    from harness.export.source import LEVELS, episodes
    from harness.schema.task import load_tasks
    from harness.schema.task import tasks_root as default_root
    from harness.scrub import Scrubber
    from harness.signing import Signers

    if level is not LevelChoice.unsigned and signers is None:
        raise UsageError(f"--level {level.value} needs --signers: a level is what the evidence shows, here and now")
    keys, scrubber = Signers.read(signers) if signers else None, Scrubber()
    tasks = load_tasks(tasks_root or default_root())
    chosen, rows = [], []
    for told in (one for source in sources for one in episodes(source, keys, scrubber)):
        if told.episode.task not in tasks:
            raise UsageError(f"{told.id}: no task {told.episode.task!r} here; give its folder by --tasks-root")
        made = row(told, tasks[told.episode.task].on(told.episode.dataset))
        if LEVELS.index(told.level) < LEVELS.index(level.value):
            continue
        if (success and not made.success) or (beats_baseline and not (made.gain or 0) > 0):
            continue
        chosen.append(told)
        rows.append(made)
    if not rows:
        raise UsageError("no episode is left; loosen --success, --beats-baseline or --level")
    if form is FormatChoice.jsonl:
        written = write_jsonl(rows, out)
    elif form is FormatChoice.parquet:
        written = write_parquet(rows, out)
    elif form is FormatChoice.atif:
        written = write_atif(chosen, out)
    else:
        written = write_inspect(chosen, tasks, out)
    for where, kinds in scrubber.report().items():
        typer.echo(f"scrubbed: {where}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}", err=True)
    typer.echo(f"{len(rows)} episode(s): {written[0] if len(written) == 1 else f'{len(written)} files in {out}'}")
