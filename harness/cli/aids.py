"""The options of `gymboard run` about memory and literature: the words of the call -> the run's Aids.

Takes text, gives records or a UsageError that says what to write instead. Looks at the file of notes before anything is
made; asks no provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.model import WITHOUT

if TYPE_CHECKING:
    from harness.llm.meter import Models
    from harness.runner.aids import Aids

OWN = "own"

MemoryWords = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="own|FILE",
        help="Notes for the agent: own, for each episode alone, or a DuckDB file that episodes and runs share.",
    ),
]
EmbeddingsModel = Annotated[
    str | None,
    typer.Option("--embeddings", help="Memory: a provider's embedding model, paid; default the local MiniLM, free."),
]
EmbeddingsPrice = Annotated[
    float | None, typer.Option(min=0, help="USD per million tokens of --embeddings, when prices.toml has none.")
]
EmbeddingsBase = Annotated[str | None, typer.Option(help="The address of --embeddings, for a server of your own.")]
Literature = Annotated[
    bool, typer.Option("--literature", help="Let the agent search Semantic Scholar and read PDFs of the web.")
]


@dataclass(frozen=True)
class AidWords:
    """What the call says of them."""

    memory: str | None
    embeddings: str | None
    price_usd: float | None
    api_base: str | None
    literature: bool

    def aids(self, agent: str, folder: Path, models: Models | None) -> Aids:
        """The run's aids, checked. Raises UsageError."""
        from harness.errors import UsageError
        from harness.literature.library import Shelf
        from harness.runner.aids import Aids, MemoryPlan

        if self.memory is None and self.literature is False and self._about_embeddings is None:
            return Aids()
        if agent in (*WITHOUT, "command"):
            raise UsageError(f"--agent {agent} calls no tools; --memory and --literature are for react and own classes")
        if self.memory is None and self._about_embeddings is not None:
            raise UsageError("--embeddings and its options are about a --memory; name one")
        memory = None
        if self.memory is not None:
            memory = MemoryPlan(_notes_file(self.memory), self._paid(folder, models))
        aids = Aids(memory, Shelf() if self.literature else None)
        aids.check()
        return aids

    @property
    def _about_embeddings(self) -> str | float | None:
        given = (self.embeddings, self.price_usd, self.api_base)
        return next((word for word in given if word is not None), None)

    def _paid(self, folder: Path, models: Models | None) -> Models | None:
        from harness.errors import UsageError
        from harness.llm.base import ModelPlan
        from harness.llm.meter import Models
        from harness.runner.run import begun_on
        from harness.schema.prices import Price, load_prices

        if self.embeddings is None:
            if self._about_embeddings is not None:
                raise UsageError("--embeddings-price and --embeddings-base are about --embeddings; name a model")
            return None
        if models is None:
            raise UsageError("--embeddings are paid by the run's meter: name a --model too, or leave --embeddings out")
        day = begun_on(folder)
        price = load_prices().find(self.embeddings, day)
        if self.price_usd is not None:
            price = Price(
                models=(self.embeddings,), since=day, input_usd=self.price_usd, output_usd=0.0, source="declared"
            )
        if price is None:
            raise UsageError(f"{self.embeddings} has no price on {day}; declare one, --embeddings-price USD (0: free)")
        limit = models.plan.run_cost_usd
        return Models(ModelPlan(self.embeddings, self.api_base, price=price, run_cost_usd=limit), folder, day)


def _notes_file(words: str) -> Path | None:
    from harness.errors import UsageError

    if words == OWN:
        return None
    file = Path(words).absolute()
    if not file.parent.is_dir() or file.is_dir():
        raise UsageError(f"--memory {words}: write own, or a file in a folder that is there")
    return file
