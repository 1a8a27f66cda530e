"""The options of `gymboard run` about its language model: the words of the call -> the run's Models, and the question.

Takes text, gives records or a UsageError that says what to write instead. Asks once, on a terminal only.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.llm.meter import Models
    from harness.runner.run import RunPlan
    from harness.schema.prices import Price

WITHOUT = ("baseline", "human", "nop", "oracle", "replay", "tuner")
"""Agents that ask no language model."""

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


@dataclass(frozen=True)
class ModelWords:
    """What the call says of the model."""

    name: str | None
    api_base: str | None
    key_env: str | None
    price: str | None
    run_cost_usd: float | None
    episode_cost_usd: float | None

    def models(self, agent: str, folder: Path) -> Models | None:
        """The run's model, checked before anything is made; None without --model. Raises UsageError."""
        from harness.errors import UsageError
        from harness.llm.base import ModelPlan
        from harness.llm.meter import Models
        from harness.runner.run import begun_on

        if self.name is None:
            if any(word is not None for word in (self.api_base, self.key_env, self.price, *self._limits)):
                raise UsageError("--api-base, --key-env, --price and the cost limits are about a --model; name one")
            return None
        if agent in WITHOUT:
            raise UsageError(f"--agent {agent} asks no language model; leave --model out, or take --agent react")
        day = begun_on(folder)
        plan = ModelPlan(
            self.name,
            self.api_base,
            self.key_env,
            parsed_price(self.price, self.name, day) if self.price else None,
            episode_cost_usd=self.episode_cost_usd,
            run_cost_usd=self.run_cost_usd,
        )
        return Models(plan, folder, day)

    @property
    def _limits(self) -> tuple[float | None, float | None]:
        return self.run_cost_usd, self.episode_cost_usd


def parsed_price(words: str, model: str, day: str) -> Price:
    """INPUT,OUTPUT[,CACHED[,CACHE_WRITE]] in USD per million tokens. Raises UsageError."""
    from pydantic import ValidationError

    from harness.errors import UsageError
    from harness.schema.prices import Price

    names = ("input_usd", "output_usd", "cached_usd", "cache_write_usd")
    try:
        numbers = [float(word) for word in words.split(",")]
        if not 2 <= len(numbers) <= len(names):
            raise ValueError
        given = dict(zip(names, numbers, strict=False))
        return Price(models=(model,), since=day, source="declared by the submitter", **given)
    except (ValueError, ValidationError):
        text = "write two to four numbers, INPUT,OUTPUT[,CACHED[,CACHE_WRITE]], in USD per million tokens"
        raise UsageError(f"--price {words!r} is no price; {text}") from None


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
