"""A run of `gymboard run` while it goes and when it has ended: what is built for it, its progress, its table.

Takes a run that is ready, prints, gives the ends of its episodes. Never decides what is played.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from harness.executors.base import Executor
    from harness.executors.words import RunWords
    from harness.runner.run import Ended, RunPlan
    from harness.sandbox.base import Engine
    from harness.sandbox.gpus import Gpus
    from harness.schema.episode import Episode


def families(root: Path, chosen: Sequence[str]) -> set[str]:
    """The image families that tasks need."""
    from harness.schema.task import load_task

    return {load_task(root / task).image for task in chosen}


def build_missing(engine: Engine, needed: set[str], gpus: Gpus | None) -> None:
    """Build what is not there, so that a first run needs no other command; first see that asked-for GPUs are there."""
    from harness.cli.images import ensure
    from harness.sandbox.gpus import PROBE_FAMILY

    if gpus:
        ensure(PROBE_FAMILY, engine.kind)
        typer.echo(f"GPUs: {', '.join(engine.gpu_names())}", err=True)
    for name in sorted(needed | {engine.agent_image(family) for family in needed}):
        ensure(name, engine.kind)


@dataclass(frozen=True)
class Ready:
    """A run on its engine, ready to be played."""

    words: RunWords
    plan: RunPlan
    engine: Engine
    executor: Executor
    only: tuple[str, ...]


def with_progress(run_of: Ready, *, quiet: bool, plain: bool) -> list[Ended]:
    """Run and show how it goes; interrupted, say how to go on."""
    from harness.cli.jobs import interrupts
    from harness.cli.live import board
    from harness.executors.drive import drive

    plan = run_of.plan
    done: list[Ended] = []
    models, total = plan.models, len(run_of.only) or len(plan.tasks) * len(plan.seeds)
    spent, limit = (models.ledger.spent_usd, models.plan.run_cost_usd) if models else (None, None)
    try:
        with (
            board(total, quiet=quiet, every_step=plain, spent_usd=spent, limit_usd=limit) as shown,
            interrupts(run_of.words.agent) as stop,
            closing(
                drive(run_of.words, plan, run_of.engine, run_of.executor, shown.watch, stop, run_of.only)
            ) as episodes,
        ):
            for ended in episodes:
                done.append(ended)
                shown.ended(ended)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; {plan.folder} goes on where it was with --resume", err=True)
        raise typer.Exit(130) from None
    return done


def show(ended: Sequence[Ended], words: RunWords, *, as_json: bool) -> None:
    """Print how the episodes ended, in the order of the run's tasks and seeds; exits with 1 when one did not."""
    from harness.cli.common import emit
    from harness.terminal import plain

    order = {task: place for place, task in enumerate(words.tasks)}
    episodes = sorted(
        (one.episode for one in ended if one.episode), key=lambda episode: (order[episode.task], episode.seed)
    )
    failures = {one.key: plain(one.failure) for one in ended if one.failure}
    if as_json:
        records = [episode.model_dump(mode="json", exclude_none=True) for episode in episodes]
        emit({"run": str(words.folder), "episodes": records, "failures": failures})
    else:
        _report(episodes, words.root, words.folder)
    for key, failure in failures.items():
        typer.echo(f"error: {key}: {failure}", err=True)
    if failures:
        typer.echo(f"{len(failures)} episode(s) not finished; try again with --resume", err=True)
        raise typer.Exit(1)


def _report(episodes: Sequence[Episode], root: Path, folder: Path) -> None:
    from harness.cli.common import table
    from harness.schema.task import load_task

    rows = []
    for episode in episodes:
        task = load_task(root / episode.task).on(episode.dataset)
        last = episode.attempts[-1] if episode.attempts else None
        sealed = last.sealed if last else None
        value, reason = "-", episode.exit_detail or (last.refused if last else None) or ""
        if sealed:
            value = f"{sealed.metrics[task.metric.name]:.4f}" if sealed.valid else "-"
            reason = sealed.invalid or reason
        baseline = task.baseline(episode.profile)
        against = f"{baseline.value:.4f}" if baseline else "not measured"
        rows.append(
            (episode.task, str(episode.seed), task.metric.label, value, against, episode.exit_status, reason[:80])
        )
    table("", ("task", "seed", "metric", "sealed score", "baseline", "exit", "why"), rows)
    typer.echo(f"run: {folder}")
