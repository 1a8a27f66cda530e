"""Vectors of a provider's embedding model, paid, journaled and limited like any call of the episode.

Takes the episode's meter and the embedding model's Models, gives vectors. An episode that goes on after a kill takes
them out of the journal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.errors import ContextOverflow
from harness.llm.meter import Meter, Models
from harness.llm.provider import ask_embedding
from harness.memory.notes import Unusable


class PaidEmbedder:
    """The embedding model of one episode."""

    def __init__(self, models: Models, meter: Meter) -> None:
        self.name = models.plan.name
        self._model = meter.beside(models, ask_embedding)

    def embed(self, text: str) -> Sequence[float]:
        """Raises Unusable when the text is too long for the model, EpisodeOver and ModelUnavailable as a model does."""
        try:
            reply = self._model.complete([{"role": "user", "content": text}], max_output_tokens=0)
        except ContextOverflow as error:
            raise Unusable(f"the text is too long for {self.name}: {error}") from None
        vector: list[float] = json.loads(reply.text)
        return vector
