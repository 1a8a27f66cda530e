"""The options of `gymboard run` about its language model, and the question whether the estimated cost is right.

Takes the run's Models, prints on stderr. Asks once, on a terminal only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.llm.meter import Models
    from harness.runner.run import RunPlan

ModelName = Annotated[
    str | None, typer.Option("--model", help="The agent's language model, as litellm names it: provider/model.")
]
ApiBase = Annotated[str | None, typer.Option(help="The model's address, for a server of your own.")]
KeyEnv = Annotated[
    str | None, typer.Option(help="The environment variable that holds its key; default the provider's own.")
]
PriceWords = Annotated[
    str | None,
    typer.Option("--price", help="USD per million tokens, INPUT,OUTPUT[,CACHED[,CACHE_WRITE]]; 0,0 is free."),
]
CostLimit = Annotated[float | None, typer.Option(min=0, help="USD that the whole run may cost.")]
EpisodeCostLimit = Annotated[
    float | None, typer.Option(min=0, help="USD that an episode may cost; never more than its task allows.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether the estimated cost is right.")]


def consent(models: Models, plan: RunPlan, *, ask: bool) -> None:
    """Say what the rest of the run will probably cost; on a terminal, ask. Ends the command when the answer is no."""
    from harness.llm.estimate import Bounds, estimate
    from harness.schema.task import load_task

    limits = {task: load_task(plan.tasks_root / task).limits for task in plan.tasks}
    ahead = [
        Bounds(limits[task].steps, models.limit_usd(limits[task].cost_usd))
        for task in plan.tasks
        for seed in plan.seeds
        if not (plan.folder / f"{task}/seed-{seed}" / "episode.json").is_file()
    ]
    if not ahead or not (models.price.input_usd or models.price.output_usd):
        return
    run_limit = models.plan.run_cost_usd
    spent = models.ledger.spent_usd() if plan.folder.is_dir() else 0.0
    left = None if run_limit is None else max(0.0, run_limit - spent)
    typer.echo(f"{len(ahead)} episode(s) with {models.plan.name}: {estimate(models.price, ahead, left)}", err=True)
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm("Go on?", abort=True, err=True)
