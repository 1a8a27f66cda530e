"""What a run gives its agent beyond the sandbox: memory and literature, both off unless the run declares them.

Takes the run's choice, gives each episode its notes and its library. The summary of the memory that an agent is begun
with is written down, so that an episode that goes on after a kill is begun with the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.files import replace_file
from harness.literature.library import Library, Shelf
from harness.literature.pdf import demand_pypdf
from harness.llm.meter import Meter, Models
from harness.memory.notes import Embedder, Notes, Unusable
from harness.memory.paid import PaidEmbedder
from harness.tools.base import Aid
from harness.tools.remembering import summary

OWN_NOTES = "notes.duckdb"
BEGUN_WITH = "memory.txt"


@dataclass(frozen=True)
class MemoryPlan:
    """`file`: shared by every episode and run that names it; None: notes end with their episode. `embeddings`: a
    provider's model; None: the local one."""

    file: Path | None = None
    embeddings: Models | None = None


@dataclass(frozen=True)
class Aids:
    """A run's choice. `run` names the run among all that share a file of notes."""

    memory: MemoryPlan | None = None
    shelf: Shelf | None = None
    run: str = ""

    @property
    def names(self) -> frozenset[Aid]:
        """What an agent is told that it has."""
        chosen: dict[Aid, object] = {"memory": self.memory, "literature": self.shelf}
        return frozenset(name for name, plan in chosen.items() if plan is not None)

    @property
    def declares(self) -> tuple[str, ...]:
        """As in the bundle."""
        words = list[str](self.names)
        if self.memory is not None:
            words += ["memory-shared"] if self.memory.file is not None else []
            words += [f"embeddings {self.memory.embeddings.plan.name}"] if self.memory.embeddings else []
        return tuple(sorted(words))

    def check(self) -> None:
        """Before anything is made or paid. Raises UsageError: a package is missing, the notes cannot be used."""
        if self.shelf is not None:
            demand_pypdf()
        if self.memory is None:
            return
        local = None if self.memory.embeddings else _local()
        if self.memory.file is not None and self.memory.file.exists():
            name = self.memory.embeddings.plan.name if self.memory.embeddings else ""
            try:
                Notes(self.memory.file, "", local or _Named(name)).overview(0)
            except Unusable as error:
                raise UsageError(f"--memory {self.memory.file}: {error}") from None

    def notes(self, key: str, folder: Path, meter: Meter | None) -> Notes | None:
        """Episode `key`'s notes. Its own are begun anew: the recorded actions write them again."""
        if self.memory is None:
            return None
        embedder = self._embedder(meter)
        if self.memory.file is not None:
            return Notes(self.memory.file, f"{self.run}/{key}", embedder)
        for name in (OWN_NOTES, f"{OWN_NOTES}.wal"):
            (folder / name).unlink(missing_ok=True)
        return Notes(folder / OWN_NOTES, key, embedder)

    def library(self, time_left: Callable[[], float]) -> Library | None:
        """The episode's way to papers."""
        return self.shelf.open(time_left) if self.shelf else None

    def _embedder(self, meter: Meter | None) -> Embedder:
        assert self.memory is not None
        if self.memory.embeddings is None:
            return _local()
        if meter is None:
            raise UsageError("embeddings of a provider are paid by the run's meter; name a --model too")
        return PaidEmbedder(self.memory.embeddings, meter)


def _local() -> Embedder:
    """Loaded for a run that has a memory only."""
    from harness.memory.minilm import load_minilm

    return load_minilm()


@dataclass(frozen=True)
class _Named:
    """An embedder that is only looked at."""

    name: str

    def embed(self, text: str) -> list[float]:
        raise Unusable("nothing is embedded before a run")


def begun_with(notes: Notes | None, folder: Path) -> str:
    """What the agent is told of its memory; the same for every life of the episode."""
    if notes is None:
        return ""
    file = folder / BEGUN_WITH
    if not file.is_file():
        try:
            text = summary(notes)
        except Unusable as error:
            text = f"Your memory cannot be used: {error}"
        replace_file(file, text.encode())
    return file.read_text(encoding="utf-8")
