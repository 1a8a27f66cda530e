"""The options of `gymboard run` about other machines: `--executor`, `--address`.

Takes text, gives an Executor or a UsageError that says what to write instead. Never plays an episode.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from harness.executors.base import Executor
    from harness.executors.words import RunWords
    from harness.sandbox.base import Engine


class ExecutorChoice(StrEnum):
    """Which machines play."""

    local = "local"
    ray = "ray"


Where = Annotated[
    ExecutorChoice,
    typer.Option("--executor", help="local: this machine, by --jobs; ray: a Ray cluster, as many as it has room for."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="auto|HOST:PORT",
        help="ray: a cluster that is there, this machine being one of its nodes; default one of this machine alone.",
    ),
]


def demand_where(where: ExecutorChoice, address: str | None, jobs: str, words: RunWords) -> None:
    """Before anything is made: what the options say together. Raises UsageError."""
    from harness.errors import UsageError

    if where is ExecutorChoice.local:
        if address is not None:
            raise UsageError("--address is about --executor ray; name that too, or leave it out")
        return
    if jobs not in ("1", "auto"):
        raise UsageError("--jobs is for this machine; --executor ray plays as many as the cluster has room for")
    from harness.executors.cluster import demand_ray
    from harness.executors.on_ray import demand_far

    demand_far(words)
    demand_ray()


def on_ray(address: str | None, words: RunWords, engine: Engine, only: Sequence[str]) -> Executor:
    """The cluster, every node of which was looked at. Raises UsageError that says what is wrong with it."""
    from harness.executors.drive import jobs
    from harness.executors.on_ray import OnRay

    settled = words.absolute().model_copy(update={"sandbox": engine.kind})
    return OnRay(address, settled, engine, jobs(settled, only))
