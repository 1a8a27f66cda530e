"""What a worker says, held to what a worker may say: it plays an agent's own code, and may be anybody's.

Takes a message of the wire, gives a record. Raises NoMessage with why it is none. Never acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from harness.executors.wire import NoMessage
from harness.runner.progress import Progress
from harness.schema.base import Record
from harness.schema.episode import Count

Seconds = Annotated[float, Field(ge=0, le=1e9)]


class News(Record):
    """As harness.runner.progress.Progress, told by another process."""

    key: str
    doing: str
    steps: Count
    steps_limit: Count
    elapsed_s: Seconds
    wall_time_s: Seconds
    score: float | None
    cost_usd: float | None

    def progress(self) -> Progress:
        """The same as the runner says it."""
        return Progress(**vars(self))


class Playing(Record):
    """How an episode goes."""

    progress: News

    @property
    def key(self) -> str:
        """The episode's."""
        return self.progress.key


class Over(Record):
    """An episode has ended; `failure`: why without a record."""

    ended: str
    fresh: bool
    failure: str

    @property
    def key(self) -> str:
        """The episode's."""
        return self.ended


class Left(Record):
    """An episode was left unfinished, as the worker was told to."""

    left: str

    @property
    def key(self) -> str:
        """The episode's."""
        return self.left


class Fault(Record):
    """The worker cannot work at all; `code`: the exit code that this means."""

    fault: str
    code: int


Said = Playing | Over | Left | Fault
_KINDS: dict[str, type[Said]] = {"progress": Playing, "ended": Over, "left": Left, "fault": Fault}


def said(message: Mapping[str, Any]) -> Said:
    """One message of a worker. Raises NoMessage."""
    kind = next((kind for name, kind in _KINDS.items() if name in message), None)
    if kind is None:
        raise NoMessage("a message of no kind that there is")
    try:
        return kind.model_validate(message)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        raise NoMessage(
            f"a message with a fault in {'.'.join(map(str, fault['loc']))!r:.80}: {fault['msg']:.200}"
        ) from None
