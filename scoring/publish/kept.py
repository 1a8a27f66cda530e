"""What a build has drawn before: texts by the digest of everything that they were made of.

Takes a key and a way to make the text, gives the text: kept from an earlier build, or made now. Lies in one file in the
user's cache and can be deleted at any time: a build without it gives the same bytes. A damaged file is begun anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from pathlib import Path

import zstandard

from scoring.facts.read import default_cache

FILE = "drawn.sqlite"
MOST_BYTES = 512 << 20
"""A file that grows beyond this is emptied of all that the last build did not use."""
_MADE_BY = (
    "scoring/publish/*.py",
    "scoring/cells.py",
    "scoring/leaderboard.py",
    "scoring/*.toml",
    "harness/by_hand.py",
    "harness/schema/declares.py",
)
_RANKED_BY = ("scoring/**/*.py", "scoring/**/*.sql", "scoring/**/*.toml", "harness/schema/*")
_RANKING_LIBRARIES = ("duckdb", "numpy", "polars", "pydantic")
_LIBRARIES = ("jinja2", "markupsafe", "altair", "vl-convert-python")
_current: ContextVar[Kept | None] = ContextVar("kept", default=None)


class Kept:
    """Open one with `opened`; `text` may be called from one thread."""

    def __init__(self, file: Path | None) -> None:
        self._db = _open(file) if file else None
        self._file = file
        self._used: set[bytes] = set()
        self._begun: dict[bytes, Callable[[], str]] = {}

    def text(self, key: bytes, make: Callable[[], str]) -> str:
        """The text of `key`, a digest."""
        return self.data(key, lambda: make().encode()).decode()

    def data(self, key: bytes, make: Callable[[], bytes]) -> bytes:
        """The bytes of `key`."""
        if self._db is None:
            return make()
        self._used.add(key)
        with contextlib.suppress(sqlite3.DatabaseError, zstandard.ZstdError):
            found = self._db.execute("SELECT packed FROM drawn WHERE key = ?", [key]).fetchone()
            if found:
                return zstandard.decompress(found[0])
        made = make()
        self._keep(key, packed(made))
        return made

    def taken(self, key: bytes, found: bytes) -> str:
        """The text of `key` that another process has packed; it is kept."""
        self._keep(key, found)
        return zstandard.decompress(found).decode()

    def begun(self, key: bytes, start: Callable[[], Callable[[], str]]) -> Callable[[], str]:
        """The way to the text of `key`."""
        if key not in self._begun:
            made = (lambda: start()()) if self.has(key) else start()
            self._begun[key] = lambda: self.text(key, made)
        return self._begun[key]

    def _keep(self, key: bytes, found: bytes) -> None:
        if self._db is None:
            return
        self._used.add(key)
        with contextlib.suppress(sqlite3.DatabaseError):
            self._db.execute("INSERT OR REPLACE INTO drawn VALUES (?, ?)", [key, found])

    def has(self, key: bytes) -> bool:
        """Whether something is kept under the key, damaged or not."""
        if self._db is None:
            return False
        with contextlib.suppress(sqlite3.DatabaseError):
            return self._db.execute("SELECT 1 FROM drawn WHERE key = ?", [key]).fetchone() is not None
        return False

    def uses(self, key: bytes) -> None:
        """What is kept under the key is wanted by later builds, though this one need not see it."""
        self._used.add(key)

    def close(self) -> None:
        """Write what is new; throw away what is old when the file has become too large."""
        if self._db is None or self._file is None:
            return
        with contextlib.suppress(sqlite3.DatabaseError):
            if self._file.stat().st_size > MOST_BYTES:
                known = [key for (key,) in self._db.execute("SELECT key FROM drawn")]
                self._db.executemany(
                    "DELETE FROM drawn WHERE key = ?", [(key,) for key in known if key not in self._used]
                )
            self._db.commit()
        self._db.close()


def packed(made: bytes) -> bytes:
    """As it is kept."""
    return zstandard.compress(made, 3)


def _open(file: Path) -> sqlite3.Connection | None:
    """None where nothing can be kept: a folder that cannot be written, a file that another build holds for long."""
    with contextlib.suppress(OSError, sqlite3.DatabaseError):
        file.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            try:
                db = sqlite3.connect(file, timeout=5)
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("CREATE TABLE IF NOT EXISTS drawn (key BLOB PRIMARY KEY, packed BLOB) WITHOUT ROWID")
            except sqlite3.OperationalError:
                break
            except sqlite3.DatabaseError:
                file.unlink(missing_ok=True)  # not a database, or a damaged one
            else:
                return db
    return None


@contextlib.contextmanager
def opened() -> Iterator[Kept]:
    """The user's own, for the length of one build."""
    place = default_cache()
    kept = Kept(place and place / FILE)
    before = _current.set(kept)
    try:
        yield kept
    finally:
        _current.reset(before)
        kept.close()


def begun(parts: str, start: Callable[[], Callable[[], str]]) -> Callable[[], str]:
    """The way to a text made from `parts`, our code and the libraries alone. `start` begins to make it and gives the
    way to wait for it: once while a build is open, and not where the text is kept."""
    kept = _current.get()
    return kept.begun(key("drawn", _code(), parts), start) if kept else start()


def versions(libraries: Sequence[str]) -> str:
    """Name and version of each."""
    return "".join(f"{name} {version(name)}\n" for name in libraries)


@cache
def _code() -> str:
    """Digest of the code that makes the texts, and of the libraries' versions."""
    files = [file for pattern in _MADE_BY for file in sorted(Path(__file__).resolve().parents[2].glob(pattern))]
    return key(versions(_LIBRARIES), *(file.read_bytes() for file in files)).hex()


@cache
def ranked_by() -> str:
    """Digest of the code that ranks and writes the tables, and of the libraries' versions."""
    root = Path(__file__).resolve().parents[2]
    files = [file for pattern in _RANKED_BY for file in sorted(root.glob(pattern)) if file.is_file()]
    return key(versions(_RANKING_LIBRARIES), *(file.read_bytes() for file in files)).hex()


@cache
def makers(sources: Path) -> str:
    """The same, and of the templates."""
    files = sorted((sources / "site" / "templates").glob("*.html"))
    return key(_code(), *(file.read_bytes() for file in files)).hex()


def key(*parts: str | bytes) -> bytes:
    """One digest of all parts, in order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
