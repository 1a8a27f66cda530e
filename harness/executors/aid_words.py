"""What a call says of memory and literature: words -> the run's Aids, or a UsageError that says what to write instead.

Takes text, gives records. Looks at the file of notes before anything is made; asks no provider.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.executors.model_words import WITHOUT, demand_address
from harness.schema.base import Record

if TYPE_CHECKING:
    from harness.llm.meter import Models
    from harness.llm.spending import Books
    from harness.runner.aids import Aids

OWN = "own"


class AidWords(Record):
    """What the call says of them. `price_usd`: of the embeddings, for a million tokens."""

    memory: str | None = None
    embeddings: str | None = None
    price_usd: float | None = None
    api_base: str | None = None
    literature: bool = False

    def aids(self, agent: str, folder: Path, models: Models | None, books: Books | None = None) -> Aids:
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
            memory = MemoryPlan(_notes_file(self.memory), self._paid(folder, models, books))
        aids = Aids(memory, Shelf() if self.literature else None)
        aids.check()
        return aids

    @property
    def _about_embeddings(self) -> str | float | None:
        given = (self.embeddings, self.price_usd, self.api_base)
        return next((word for word in given if word is not None), None)

    def _paid(self, folder: Path, models: Models | None, books: Books | None) -> Models | None:
        from harness.errors import UsageError
        from harness.llm.base import ModelPlan
        from harness.llm.meter import Models
        from harness.runner.manifest import begun_on
        from harness.schema.prices import Price, load_prices

        if self.embeddings is None:
            if self._about_embeddings is not None:
                raise UsageError("--embeddings-price and --embeddings-base are about --embeddings; name a model")
            return None
        if models is None:
            raise UsageError("--embeddings are paid by the run's meter: name a --model too, or leave --embeddings out")
        demand_address("--embeddings-base", self.api_base)
        day = begun_on(folder)
        price = load_prices().find(self.embeddings, day)
        if self.price_usd is not None:
            price = Price(
                models=(self.embeddings,), since=day, input_usd=self.price_usd, output_usd=0.0, source="declared"
            )
        if price is None:
            raise UsageError(f"{self.embeddings} has no price on {day}; declare one, --embeddings-price USD (0: free)")
        limit = models.plan.run_cost_usd
        plan = ModelPlan(self.embeddings, self.api_base, price=price, run_cost_usd=limit)
        return Models(plan, folder, day, books)


def _notes_file(words: str) -> Path | None:
    from harness.errors import UsageError

    if words == OWN:
        return None
    file = Path(words).absolute()
    if not file.parent.is_dir() or file.is_dir():
        raise UsageError(f"--memory {words}: write own, or a file in a folder that is there")
    return file
