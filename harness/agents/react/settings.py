"""agent.toml: how the react agent asks its model and what it keeps of the past.

Takes TOML, gives a ReactSettings. Strict: an unknown key is an error that names it. Never says which model: that is
the run's.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from harness.errors import UsageError, in_words
from harness.schema.base import Record


class ReactSettings(Record):
    """Every setting, each with the value that it has without a file."""

    protocol: Literal["auto", "native", "text"] = Field(
        default="auto",
        description="native: the provider's tool calls; text: one fenced block an answer; auto: native for a model "
        "that has tool calls by litellm's table, text for one that has none or that the table does not know",
    )
    tools: tuple[str, ...] | None = Field(
        default=None, description="beside bash, validate and submit; else those for files"
    )
    guidance: str = Field(default="", max_length=20_000, description="text that ends the system prompt")
    window: int = Field(default=8, ge=1, le=1000, description="this many last observations are always shown whole")
    block: int = Field(default=8, ge=1, le=1000, description="older ones are left out so many at a time")
    observation_chars: int = Field(
        default=16_000, ge=500, le=200_000, description="of one observation; the rest is cut"
    )
    prompt_tokens: int = Field(default=96_000, ge=1000, le=10_000_000, description="no request is longer, as estimated")
    summary: Literal["model", "plain"] = Field(
        default="model", description="when the past does not fit: the model sums it up (paid), or a list of its actions"
    )
    malformed: int = Field(default=4, ge=1, le=100, description="so many unreadable answers in a row end the episode")
    max_output_tokens: int | None = Field(default=None, ge=16, description="of one answer; else the run's")
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = Field(
        default=None,
        description="how much a model thinks that can be told so (Anthropic's extended thinking too, where "
        "max_output_tokens must leave room for it); else as its provider does by itself",
    )
    temperature: float | None = Field(default=None, ge=0, le=2, description="else the provider's own")
    cache_marks: Literal["auto", "on", "off"] = Field(
        default="auto", description="marks for providers that cache where told to; auto: when the model is a Claude"
    )

    @model_validator(mode="after")
    def _known_tools(self) -> Self:
        from harness.tools.registry import TOOLS, unknown

        strangers = [name for name in self.tools or () if name not in TOOLS]
        if strangers:
            raise ValueError(unknown(strangers[0], TOOLS))
        return self

    @property
    def params(self) -> dict[str, Any]:
        """What goes into every request beside messages and tools."""
        return self.model_dump(include={"reasoning_effort", "temperature"}, exclude_none=True)

    @property
    def sha256(self) -> str:
        """Digest of what the settings are, however the file writes them."""
        return hashlib.sha256(self.canonical()).hexdigest()

    @property
    def declares(self) -> tuple[str, ...]:
        """What a bundle says of them: nothing when they are what they are without a file."""
        return () if self == ReactSettings() else (f"settings sha256:{self.sha256}",)


def load_settings(file: Path | None) -> ReactSettings:
    """The settings of a file, or those without one. Raises UsageError, SchemaError."""
    if file is None:
        return ReactSettings()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--agent-file {file}: {in_words(error, file)}") from None
    return ReactSettings.from_toml(text, subject=str(file))
