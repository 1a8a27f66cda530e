"""Mirrors: where the board keeps its own copies of an entry's payload parts.

Takes the ledger's file and a bundle's digest, gives addresses, the newest first. An address is a hint: what it serves
is held to the signed digests like that of any other place, so a line that cannot be read is passed over and the chain
is not asked. Never opens an address.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.archive import open_regular
from harness.schema.base import HttpsUrl

LEDGER = "ledger.jsonl"
MAX_LEDGER_BYTES = 64 << 20
MAX_MIRRORS = 3
_ADDRESS: TypeAdapter[str] = TypeAdapter(HttpsUrl)


def mirrors(ledger: Path, bundle_sha256: str) -> tuple[str, ...]:
    """Folders that hold every part under its own name, as `mirror` lines about these bytes say; at most MAX_MIRRORS.

    None when there is no such file, or one that is a link or over MAX_LEDGER_BYTES.
    """
    if ledger.is_symlink() or not ledger.is_file():
        return ()
    with open_regular(ledger) as file:
        data = file.read(MAX_LEDGER_BYTES + 1)
    if len(data) > MAX_LEDGER_BYTES:
        return ()
    wanted = bundle_sha256.encode()
    found = [at for line in data.splitlines() if wanted in line for at in _addresses(line, bundle_sha256)]
    return tuple(dict.fromkeys(reversed(found)))[:MAX_MIRRORS]


def part_address(mirror: str, name: str) -> str:
    """Where a mirror has a part."""
    return f"{mirror.rstrip('/')}/{name}"


def _addresses(line: bytes, bundle_sha256: str) -> Iterator[str]:
    """The address of a line, when it is a mirror of this bundle."""
    try:
        tree = json.loads(line)
        if (tree["kind"], tree["bundle_sha256"]) == ("mirror", bundle_sha256):
            yield _ADDRESS.validate_python(tree["evidence"])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return
