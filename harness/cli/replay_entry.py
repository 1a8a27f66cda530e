"""`gymboard replay ENTRY`: every recorded episode of an entry that can be replayed, beside what the regrade found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from harness.replay.entry import PlaceOf
    from harness.runner.place import Place
    from harness.sandbox.base import Engine
    from harness.schema.bundle import Bundle
    from harness.schema.replay import ReplayReport


@dataclass(frozen=True)
class Asked:
    """The options of one call. `episodes`: keys of the only ones to replay."""

    sandbox: Literal["auto", "docker", "local"] = "auto"
    mirror: Path | None = None
    out: Path | None = None
    tasks: Sequence[str] | None = None
    signers: Path | None = None
    cache: Path | None = None
    within: float | None = None
    tasks_root: Path | None = None
    episodes: Sequence[str] | None = None


def replay_command(entry: Path, asked: Asked, as_json: bool) -> None:
    """Replay, write the report, print it; ends the command."""
    from harness.cli.common import emit
    from harness.replay import write_report

    report = replayed(entry, asked, quiet=as_json)
    written = write_report(report, entry)
    if as_json:
        emit(report.model_dump(mode="json", exclude_none=True))
    else:
        print_report(report)
        typer.echo(f"report: {written}")
    if all(task.outcome == "excused" for task in report.tasks):
        looked = ", ".join(task.task for task in report.tasks)
        typer.echo(f"nothing of {entry} can be replayed (looked at {looked}); nothing is confirmed by it", err=True)
    raise typer.Exit(1 if report.differing or report.unfinished else 0)


def replayed(entry: Path, asked: Asked, *, quiet: bool) -> ReplayReport:
    """Verify when signers are given, then replay. Raises VerificationError, EngineUnavailable, UsageError."""
    from harness.cli.common import progress_bar
    from harness.errors import VerificationError
    from harness.replay import Wanted, replay_entry
    from harness.revoked import revoked_beside
    from harness.sandbox import open_engine
    from harness.signing import Signers
    from harness.verify import verify

    keys = Signers.read(asked.signers, revoked_beside(entry)) if asked.signers else None
    signed = verify(entry, keys).bundle_sha256 if keys else None
    names = [name for text in asked.tasks or () for name in text.split(",") if name]
    wanted = Wanted(names or None, asked.episodes, asked.within)
    bar, _ = progress_bar(quiet=quiet)
    with open_engine(asked.sandbox) as engine, bar:
        shown = bar.add_task("verifying", total=None)
        report = replay_entry(
            entry,
            engine,
            _place_of(engine, asked.mirror),
            wanted=wanted,
            root=asked.tasks_root,
            cache=asked.cache,
            keep=asked.out,
            progress=lambda done, total, label: bar.update(shown, completed=done, total=total, description=label),
        )
    if signed not in (None, report.bundle_sha256):
        raise VerificationError("bundle", f"{entry} changed while it was replayed")
    return report


def _place_of(engine: Engine, mirror: Path | None) -> PlaceOf:
    def place(folder: Path, bundle: Bundle) -> Place:
        from harness.cli.images import ensure
        from harness.runner.run import place_of
        from harness.schema.task import DEFAULT_DATASET

        first = bundle.episodes[0]  # of all its episodes, which the schema sees to
        starter, dataset = first.variant or "baseline", first.dataset or DEFAULT_DATASET
        found = place_of(folder, bundle.profile, engine, mirror, starter=starter, dataset=dataset)
        for family in {found.task.image, engine.agent_image(found.task.image)}:
            ensure(family, engine.kind)
        return found

    return place


def print_report(report: ReplayReport) -> None:
    """A line a replayed attempt, then a line a task. Sentences hold what recorded actions printed."""
    from harness.cli.common import table
    from harness.terminal import plain

    rows = [
        (
            f"{task.task}/seed-{episode.seed}",
            str(one.attempt),
            one.metric,
            "-" if one.expected is None else f"{one.expected:.5f}",
            "-" if one.replayed is None else f"{one.replayed.metrics.get(one.metric, float('nan')):.5f}",
            "-" if one.allowed is None else f"{one.allowed:.2g}",
            "agrees" if one.agrees else "DIFFERS",
        )
        for task in report.tasks
        for episode in task.episodes
        for one in episode.attempts
    ]
    if rows:
        table("", ("episode", "attempt", "metric", "recorded", "replayed", "allowed apart", ""), rows)
    for task in report.tasks:
        ids = ", fresh ids" if task.fresh_ids else ""
        said = f": {plain(task.reason)}" if task.reason else f" ({task.seconds:.0f} s{ids})"
        typer.echo(f"{task.task}: {task.outcome}{said}")
        for episode in task.episodes:
            if episode.diverged_at is not None:
                typer.echo(f"  seed {episode.seed} diverged at step {episode.diverged_at}: {plain(episode.divergence)}")
            for one in episode.attempts:
                if not one.agrees:
                    typer.echo(f"  seed {episode.seed} attempt {one.attempt}: {plain(one.sentence)}")
