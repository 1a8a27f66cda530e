"""The signed files of the entries, beside the pages: what the four lines on an entry's page download.

Takes the folder of submissions and the entries that have a page, copies bundle.json, its signature and small payload
parts, and the lists of revoked keys and second parties. Never follows a link, never copies another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from harness.countersign import PARTIES
from harness.revoked import REVOKED
from harness.signing import SIGNATURE
from scoring.facts.evidence import MAX_BUNDLE_BYTES, read_plain

MAX_PART_BYTES = 1 << 20
"""Parts beside bundle.json have at most this together (GB307); a larger file was fetched from its own address."""
RECORDS = (REVOKED, PARTIES)
_SIGNED = re.compile(r"(bundle|countersign)\.json(\.sig)?|bundle\.json\.sigstore\.json")
_PART = re.compile(r"[a-z0-9-]+\.tar\.zst")


def publish_evidence(submissions: Path, entries: Iterable[str], out: Path) -> None:
    """Write `out`/<entry>/ for every entry with a signature. Raises GymboardError on a file that changes meanwhile."""
    for name in entries:
        if (submissions / name / SIGNATURE).is_file():
            _copy(submissions / name, out / name)
    for name in RECORDS:
        if (submissions / name).is_file():
            out.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes((submissions / name).read_bytes())


def _copy(folder: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for file in sorted(folder.iterdir()):
        if _SIGNED.fullmatch(file.name):
            (to / file.name).write_bytes(read_plain(str(file), MAX_BUNDLE_BYTES))
        elif _PART.fullmatch(file.name) and file.lstat().st_size <= MAX_PART_BYTES and not file.is_symlink():
            (to / file.name).write_bytes(read_plain(str(file), MAX_PART_BYTES))
