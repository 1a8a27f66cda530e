"""Notes in one DuckDB file, shared by any number of processes, found by the meaning of their text.

Takes a note, keeps it under (scope, number): the same episode writing it again after a kill changes nothing. Gives the
k nearest to a question, of equal ones the older first. The file is open only for the moment of a question, under a lock
beside it; nothing in it can reach another file. Raises Unusable, never loses or repairs a file by itself.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import GymboardError

if TYPE_CHECKING:
    import duckdb

WAIT_S = 60.0
PAUSE_S = 0.02
FORMAT = "1"
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "memory_limit": "512MB",
    "threads": "1",
}
_COLUMNS = {
    "seq": "BIGINT",
    "scope": "VARCHAR",
    "number": "BIGINT",
    "text": "VARCHAR",
    "tags": "VARCHAR[]",
    "scores": "VARCHAR",
    "config": "VARCHAR",
}
_SEEN = "(scope <> $scope OR number < $made)"


class Unusable(GymboardError):
    """Why the notes cannot be had, in words for the agent."""


class Embedder(Protocol):
    """Makes a vector of a text; vectors of one `name` can be compared."""

    @property
    def name(self) -> str: ...

    def embed(self, text: str) -> Sequence[float]:
        """Raises Unusable, and what a paid model raises."""
        ...


@dataclass(frozen=True)
class Note:
    """What an agent wants to know later. `scores` and `config` by name."""

    text: str
    tags: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A note, the scope that wrote it, and the cosine of its angle to the question."""

    note: Note
    scope: str
    similarity: float = 1.0


@dataclass(frozen=True)
class Overview:
    """How many notes there are, how often each tag, the last ones first."""

    total: int
    tags: tuple[tuple[str, int], ...]
    latest: tuple[Found, ...]


class Notes:
    """The notes that one episode, named `scope`, may see and write. What it wrote before it was killed it sees only
    when it has come to that point again."""

    def __init__(self, file: Path, scope: str, embedder: Embedder) -> None:
        self.file, self.scope, self._embedder = file, scope, embedder
        self._made = 0

    def write(self, note: Note) -> int:
        """Keep a note; gives how many there are to see now."""
        vector = _checked(self._embedder.embed(note.text))
        row = [note.text, list(note.tags), _json(note.scores), _json(note.config)]
        with self._opened() as db:
            self._demand_size(db, len(vector))
            self._keep(db, row, vector)
            self._made += 1
            return self._total(db)

    def read(self, question: str, most: int, tag: str = "") -> list[Found]:
        """At most `most` notes, with this tag when there is one, the nearest first."""
        if not self.overview(0).total:
            return []
        vector = _checked(self._embedder.embed(question))
        with self._opened() as db:
            self._demand_size(db, len(vector))
            near = f"array_cosine_similarity(embedding, $vector::FLOAT[{len(vector)}])"
            rows = db.execute(
                f"SELECT scope, text, tags, scores, config, {near} AS near FROM notes WHERE {_SEEN} "  # noqa: S608
                "AND ($tag = '' OR list_contains(tags, $tag)) ORDER BY round(near, 6) DESC, seq LIMIT $most",
                {"scope": self.scope, "made": self._made, "vector": vector, "tag": tag, "most": most},
            ).fetchall()
        return [_found(row[:5], row[5]) for row in rows]

    def overview(self, latest: int) -> Overview:
        """What there is to see, without any question."""
        asked = {"scope": self.scope, "made": self._made}
        with self._opened() as db:
            if not _has_table(db):
                return Overview(0, (), ())
            tags = db.execute(
                f"SELECT tag, count(*) FROM (SELECT unnest(tags) AS tag FROM notes WHERE {_SEEN}) "  # noqa: S608
                "GROUP BY tag ORDER BY count(*) DESC, tag",
                asked,
            ).fetchall()
            rows = db.execute(
                f"SELECT scope, text, tags, scores, config FROM notes WHERE {_SEEN} "  # noqa: S608
                "ORDER BY seq DESC LIMIT $latest",
                {**asked, "latest": latest},
            ).fetchall()
            return Overview(self._total(db), tuple(tags), tuple(_found(row, 1.0) for row in rows))

    def _keep(self, db: duckdb.DuckDBPyConnection, row: list[Any], vector: list[float]) -> None:
        """Once: the same note under the same name is there already; another one there is of a life that ended."""
        name = [self.scope, self._made]
        there = db.execute("SELECT text, tags, scores, config FROM notes WHERE scope = ? AND number = ?", name)
        if there.fetchone() == tuple(row):
            return
        db.execute("DELETE FROM notes WHERE scope = ? AND number >= ?", name)
        db.execute(
            "INSERT INTO notes SELECT (SELECT coalesce(max(seq), 0) + 1 FROM notes), ?, ?, ?, ?, ?, ?, ?",
            [*name, *row, vector],
        )

    def _total(self, db: duckdb.DuckDBPyConnection) -> int:
        asked = {"scope": self.scope, "made": self._made}
        found = db.execute(f"SELECT count(*) FROM notes WHERE {_SEEN}", asked).fetchone()  # noqa: S608
        return int(found[0]) if found else 0

    def _demand_size(self, db: duckdb.DuckDBPyConnection, size: int) -> None:
        """The table for vectors of this size, made when there is none."""
        if not _has_table(db):
            columns = ", ".join(f"{name} {kind} NOT NULL" for name, kind in _COLUMNS.items())
            db.execute(f"CREATE TABLE notes ({columns}, embedding FLOAT[{size}] NOT NULL)")
            db.execute("CREATE TABLE about (format VARCHAR, embedder VARCHAR)")
            db.execute("INSERT INTO about VALUES (?, ?)", [FORMAT, self._embedder.name])
        elif _columns(db, "notes")["embedding"] != f"FLOAT[{size}]":
            raise Unusable(f"{self.file.name} holds vectors of another size; begin another file")

    @contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file within one transaction, for this process alone."""
        import duckdb

        try:
            with _locked(self.file), closing(_connected(self.file)) as db:
                db.begin()
                self._demand_ours(db)
                yield db
                db.commit()
        except (duckdb.Error, OSError) as error:
            raise Unusable(
                f"{self.file.name} cannot be read or written: {' '.join(str(error).split())[:300]}"
            ) from None

    def _demand_ours(self, db: duckdb.DuckDBPyConnection) -> None:
        if not _has_table(db):
            return
        columns = _columns(db, "notes")
        kind = columns.pop("embedding", "")
        if (
            columns != _COLUMNS
            or not kind.startswith("FLOAT[")
            or list(_columns(db, "about")) != ["format", "embedder"]
        ):
            raise Unusable(f"{self.file.name} is a DuckDB file, but not one of notes")
        about = db.execute("SELECT format, embedder FROM about").fetchall()
        if about != [(FORMAT, self._embedder.name)]:
            raise Unusable(
                f"{self.file.name} was embedded by {about[0][1] if about else 'nothing'}, this run embeds by "
                f"{self._embedder.name}: begin another file"
            )


def _found(row: Sequence[Any], similarity: float) -> Found:
    scope, text, tags, scores, config = row
    return Found(Note(text, tuple(tags), json.loads(scores), json.loads(config)), scope, similarity)


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def _checked(vector: Sequence[float]) -> list[float]:
    """A cosine needs a length: a vector of zeros or of no numbers has none."""
    length = math.sqrt(sum(value * value for value in vector))
    if not math.isfinite(length) or not length > 1e-12:
        raise Unusable("no vector could be made of this text; write it in other words")
    return [value / length for value in vector]


def _has_table(db: duckdb.DuckDBPyConnection) -> bool:
    return bool(db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'notes'").fetchone())


def _columns(db: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    rows = db.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    )
    return dict(rows.fetchall())


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """DuckDB lets one process write; the others wait here instead of failing."""
    deadline = time.monotonic() + WAIT_S
    handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unusable(f"{file.name} has been in use by another episode for {WAIT_S:.0f} s") from None
                time.sleep(PAUSE_S)
        yield
    finally:
        os.close(handle)


def _connected(file: Path) -> duckdb.DuckDBPyConnection:
    """Raises duckdb.Error on a torn file. An empty one is a file whose first moment was its last."""
    import duckdb

    if file.is_file() and file.stat().st_size == 0:
        file.unlink()
    return duckdb.connect(str(file), config=_SETTINGS)
