"""What a call of `gymboard run` says beside its options: the run's name, and that its words fit their record.

Takes words, gives words or a UsageError. Never makes anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from harness.cli.common import ProfileChoice, StarterChoice


@contextmanager
def well_said() -> Iterator[None]:
    """Words that a record refuses (a limit that is no number, say) are the call's fault. Raises UsageError."""
    from pydantic import ValidationError

    from harness.errors import UsageError

    try:
        yield
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise UsageError("; ".join(faults)) from None


def default_name(agent: str, model: str | None, profile: ProfileChoice, starter: StarterChoice, dataset: str) -> str:
    """A run's name when the call has none: what makes it another run than the usual one."""
    from harness.schema.task import DEFAULT_DATASET

    _, _, own = agent.partition(":")
    words = [_words(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", own or agent)) or "command"]
    words += [_words(model)] if model else []
    words += [profile.value]
    words += ["starter", starter.value] if starter is not StarterChoice.baseline else []
    return "-".join(words if dataset == DEFAULT_DATASET else [*words, dataset])


def _words(name: str) -> str:
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def title_of(name: str) -> str:
    """The run's name, which is a folder's. Raises UsageError."""
    from pydantic import TypeAdapter, ValidationError

    from harness.errors import UsageError
    from harness.schema.base import KebabId

    try:
        return str(TypeAdapter(KebabId).validate_python(name))
    except ValidationError:
        raise UsageError(f"{name!r} cannot name a run; take lower-case words and numbers joined by -") from None
