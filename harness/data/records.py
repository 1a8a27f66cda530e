"""Digests that this machine learnt. Takes what a first download brought, keeps it in recorded.json beside the store.

For sources whose digest nobody of the project has verified. A line that is there is enforced. Never overwrites one.
"""

from __future__ import annotations

from pathlib import Path

from harness.clock import now
from harness.data.partial import Content
from harness.errors import DataError, SchemaError
from harness.files import replace_file
from harness.schema.base import Line, Record, Sha256, Timestamp, canonical_bytes
from harness.schema.task import Source

FILE = "recorded.json"


class Recorded(Record):
    """What the first download of an unverified source was."""

    name: Line
    sha256: Sha256
    size_bytes: int
    place: str
    at: Timestamp


class Records(Record):
    """By the source's key."""

    sources: dict[str, Recorded] = {}


def recorded(store: Path, source: Source) -> Recorded | None:
    """What is on record for this source. Raises DataError when the record cannot be read."""
    return _read(store / FILE).sources.get(source.key)


def record(store: Path, source: Source, content: Content, place: str) -> bool:
    """Keep the digest of a first download; whether it was the first. The caller holds the lock of the records."""
    known = _read(store / FILE).sources
    if source.key in known:
        return False
    at = now()
    line = Recorded(name=source.name, sha256=content.sha256, size_bytes=content.size_bytes, place=place, at=at)
    replace_file(store / FILE, canonical_bytes(Records(sources=known | {source.key: line}).model_dump(mode="json")))
    return True


def _read(file: Path) -> Records:
    if not file.is_file():
        return Records()
    try:
        return Records.from_json(file.read_bytes(), subject=str(file))
    except SchemaError as error:
        raise DataError(f"{error}\nMove {file} away; every unverified source is then recorded anew.") from None
