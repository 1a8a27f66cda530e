"""Mirrors: where the board keeps its own copies of an entry's payload parts.

Takes the ledger's file and a bundle's digest, gives addresses, the newest first. An address is a hint: what it serves
is held to the signed digests like that of any other place, so a line that cannot be read is passed over and the chain
is not asked. Never opens an address.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.ledger_file import lines_about
from harness.schema.base import HttpsUrl
from harness.schema.verdicts import LEDGER as LEDGER

MAX_MIRRORS = 3
_ADDRESS: TypeAdapter[str] = TypeAdapter(HttpsUrl)


def mirrors(ledger: Path, bundle_sha256: str) -> tuple[str, ...]:
    """Folders that hold every part under its own name, as `mirror` lines about these bytes say; at most MAX_MIRRORS.

    None when there is no such file, or one that is a link or too large.
    """
    found: list[str] = []
    for line in lines_about(ledger, bundle_sha256):
        if line.get("kind") == "mirror":
            with suppress(ValidationError):
                found.append(_ADDRESS.validate_python(line.get("evidence")))
    return tuple(dict.fromkeys(reversed(found)))[:MAX_MIRRORS]


def part_address(mirror: str, name: str) -> str:
    """Where a mirror has a part."""
    return f"{mirror.rstrip('/')}/{name}"
