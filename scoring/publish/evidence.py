"""The signed files of the entries: what the four lines on an entry's page download, and from where.

Takes the folder of submissions and the entries whose files shall lie beside the pages, copies bundle.json, its
signature and small payload parts, and the lists of revoked keys and second parties. Where the folder itself is public,
as the board's repository is, pages name that place and nothing is copied. Never follows a link or copies another name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from harness.countersign import PARTIES
from harness.errors import UsageError
from harness.revoked import REVOKED
from harness.signing import SIGNATURE
from scoring.facts.evidence import MAX_BUNDLE_BYTES, read_plain
from scoring.publish.stamp import slot

MAX_PART_BYTES = 1 << 20
"""Parts beside bundle.json have at most this together (GB307); a larger file was fetched from its own address."""
RECORDS = (REVOKED, PARTIES)
PUBLIC = f"https://{slot('evidence')}"
"""Stands on a page for the folder's public address. That names a commit, so a page that is kept for later builds cannot
hold it."""
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~-]+)*")
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


def public(address: str) -> str:
    """The address at which the folder of entries is public, without a slash at its end; "" stays "". Raises UsageError
    on one that could mean something to a shell or a page."""
    address = address.rstrip("/")
    if address and not _ADDRESS.fullmatch(address):
        raise UsageError(
            f"{address!r} is no plain address of a folder; for example https://host/owner/board/commit/submissions"
        )
    return address


def addressed(slots: Mapping[str, str], address: str) -> dict[str, str]:
    """The slots of an entry's page with `address` where PUBLIC stood; in the page's policy with its host."""
    host = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
    return {name: text.replace(PUBLIC, host if name == "entry-hosts" else address) for name, text in slots.items()}


def _copy(folder: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for file in sorted(folder.iterdir()):
        if _SIGNED.fullmatch(file.name):
            (to / file.name).write_bytes(read_plain(str(file), MAX_BUNDLE_BYTES))
        elif _PART.fullmatch(file.name) and file.lstat().st_size <= MAX_PART_BYTES and not file.is_symlink():
            (to / file.name).write_bytes(read_plain(str(file), MAX_PART_BYTES))
