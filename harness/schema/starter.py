"""Which starter an agent finds: the whole one, none, or one with a planted bug. A curriculum, never ranked but whole.

Takes what task.toml says under [variants.<name>], gives records. Never touches a file.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.schema.base import Record, SafePath

StarterName = Literal["baseline", "none", "buggy"]
OtherStarter = Literal["none", "buggy"]


class Variant(Record):
    """Another starter than the whole one. `summary` may give the bug away: it is for people, never for the agent."""

    summary: str = Field(min_length=1, max_length=300)
    note: str = Field(min_length=1, max_length=1000, description="what the agent is told after the instruction")
    overlay: SafePath | None = Field(
        default=None, description="folder of the task whose files are laid over starter/; without it: no starter at all"
    )


NO_STARTER = Variant.model_construct(
    summary="Only the data and the instruction.",
    note="In this run your workspace is empty: the files that the text above finds in it are not there.",
)
"""Every task has it without a declaration."""
