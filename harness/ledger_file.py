"""LedgerFile: the lines of a board's ledger that are about one bundle, and the verdicts that they name.

Takes the ledger's file and a bundle's digest, gives what can be read: a line or a file that is damaged is passed over,
and the chain is not asked, so what comes out is for hints and for rules that err on the side of an entry. Never opens
an address, never follows a link.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.archive import open_regular
from harness.errors import SchemaError, UsageError
from harness.schema.verdicts import LEDGER, VERDICTS, RegradeVerdict, Verdicts

MAX_LEDGER_BYTES = 64 << 20
MAX_VERDICTS_BYTES = 8 << 20


def lines_about(ledger: Path, bundle_sha256: str) -> Iterator[dict[str, Any]]:
    """Every line about these bytes, oldest first; none when there is no such file, or one over MAX_LEDGER_BYTES."""
    data, wanted = _bytes(ledger, MAX_LEDGER_BYTES), bundle_sha256.encode()
    for text in data.splitlines():
        if wanted not in text:
            continue
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(tree, dict) and tree.get("bundle_sha256") == bundle_sha256:
            yield tree


def verdicts_about(board: Path, bundle_sha256: str) -> Iterator[RegradeVerdict]:
    """What the board's own regrades of these bytes found, oldest first. `board`: the folder of entries."""
    for line in lines_about(board / LEDGER, bundle_sha256):
        name = line.get("verdicts_sha256")
        if line.get("kind") != "regrade" or not isinstance(name, str) or not name.isalnum():
            continue
        data = _bytes(board / VERDICTS / f"{name}.json", MAX_VERDICTS_BYTES)
        if hashlib.sha256(data).hexdigest() != name:
            continue
        try:
            document = Verdicts.from_json(data, subject=name)
        except SchemaError:
            continue
        if document.bundle_sha256 == bundle_sha256:
            yield from document.verdicts


def _bytes(file: Path, cap: int) -> bytes:
    try:
        with open_regular(file) as opened:
            data = opened.read(cap + 1)
    except UsageError:
        return b""
    return data if len(data) <= cap else b""
