"""The sub-commands of the harness. Heavy imports happen inside the function that needs them."""

from __future__ import annotations

import typer

from harness.cli import bundle, data, demo, doctor, evidence, images, run, runs, tasks
from harness.cli.challenge import challenge
from harness.cli.countersign import countersign
from harness.cli.export import export
from harness.cli.mirror import mirror
from harness.cli.replay import replay
from harness.cli.submit import submit
from harness.cli.watch import watch


def mount(app: typer.Typer) -> None:
    """Add the harness's commands to the app."""
    line = (
        run.run,
        bundle.pack,
        bundle.sign,
        bundle.verify,
        evidence.fetch,
        evidence.check,
        evidence.regrade,
        challenge,
        countersign,
    )
    for command in (*line, submit, mirror, replay, export, demo.demo, watch, doctor.doctor):
        app.command()(command)
    app.add_typer(tasks.tasks_app, name="tasks")
    app.add_typer(data.app, name="data")
    app.add_typer(images.app, name="images")
    app.add_typer(runs.app, name="runs")
    app.add_typer(bundle.import_app, name="import")
