"""What a call says of the run's language model: words -> the run's Models, or a UsageError that says what to write.

Takes text, gives records. Asks no provider.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.schema.base import Record

if TYPE_CHECKING:
    from harness.llm.meter import Models
    from harness.llm.spending import Books
    from harness.schema.prices import Price

WITHOUT = ("baseline", "human", "nop", "oracle", "replay", "tuner")
"""Agents that ask no language model."""


class ModelWords(Record):
    """What the call says of the model."""

    name: str | None = None
    api_base: str | None = None
    key_env: str | None = None
    price: str | None = None
    run_cost_usd: float | None = None
    episode_cost_usd: float | None = None

    def models(self, agent: str, folder: Path, books: Books | None = None) -> Models | None:
        """The run's model, checked before anything is made; None without --model. Raises UsageError."""
        from harness.errors import UsageError
        from harness.llm.base import ModelPlan
        from harness.llm.meter import Models
        from harness.runner.manifest import begun_on

        if self.name is None:
            if any(word is not None for word in (self.api_base, self.key_env, self.price, *self._limits)):
                raise UsageError("--api-base, --key-env, --price and the cost limits are about a --model; name one")
            return None
        if agent in WITHOUT:
            raise UsageError(f"--agent {agent} asks no language model; leave --model out, or take --agent react")
        demand_address("--api-base", self.api_base)
        day = begun_on(folder)
        plan = ModelPlan(
            self.name,
            self.api_base,
            self.key_env,
            parsed_price(self.price, self.name, day) if self.price else None,
            episode_cost_usd=self.episode_cost_usd,
            run_cost_usd=self.run_cost_usd,
        )
        return Models(plan, folder, day, books)

    @property
    def _limits(self) -> tuple[float | None, float | None]:
        return self.run_cost_usd, self.episode_cost_usd


def demand_address(option: str, words: str | None) -> None:
    """Raises UsageError when what an option names is no address of a server."""
    from urllib.parse import urlsplit

    from harness.errors import UsageError

    try:
        parts = urlsplit(words) if words is not None else None
        if parts is None or (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0):
            return
    except ValueError:
        pass
    raise UsageError(f"{option} {words!r} is no address; write it as http://127.0.0.1:8000/v1")


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
