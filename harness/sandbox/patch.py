"""The difference between a workspace and its starter as text. Takes what a survey found; never opens the workspace."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

FILE_CAP_BYTES = 256 << 10
DIFF_CAP_LINES = 1_000_000  # old lines times new lines: beyond, the diff is the whole file (difflib is quadratic)
Record = tuple[dict[str, Any], bytes]


def starter_digests(starter: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file of the starter."""
    files = (file for file in sorted(starter.rglob("*")) if file.is_file())
    return {file.relative_to(starter).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def patch_text(records: Iterable[Record], starter: Path, known: Collection[str], cap_bytes: int) -> str:
    """Unified differences, a line for everything that is only named, cut at `cap_bytes` of UTF-8.

    `known` are the starter's paths: a record may name anything, only these are opened. What lies beyond the cut is not
    even asked for."""
    before = {path: (starter / path).read_text(encoding="utf-8", errors="replace") for path in known}
    data = bytearray()
    for record in records:
        for line in _lines(*record, before):
            data += line.encode("utf-8", errors="replace")
            if len(data) > cap_bytes:
                more = len(data) - cap_bytes
                return data[:cap_bytes].decode("utf-8", errors="ignore") + f"\n[cut: at least {more} more bytes]\n"
    return data.decode("utf-8")


def _lines(header: dict[str, Any], content: bytes, before: dict[str, str]) -> Iterator[str]:
    change, path = header["change"], str(header.get("path", ""))
    shown = path.encode("unicode_escape", errors="replace").decode()
    if change == "text":
        yield from _difference(shown, before.get(path, ""), content.decode("utf-8", errors="replace"))
    elif change == "deleted":
        yield from _difference(shown, before.get(path, ""), "")
    elif change == "unfinished":
        yield f"# the survey stopped at {shown}: too many files, or too slow\n"
    else:
        said = header.get("kind") or header.get("why") or f"{header.get('bytes', '?')} bytes, binary or over the cap"
        yield f"# {shown}: {said}\n"


def _difference(path: str, before: str, after: str) -> Iterator[str]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    names = (f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null")
    if len(old) * len(new) <= DIFF_CAP_LINES:
        lines: Iterable[str] = difflib.unified_diff(old, new, *names)
    else:
        counts = f"@@ -1,{len(old)} +1,{len(new)} @@\n"
        lines = [f"--- {names[0]}\n", f"+++ {names[1]}\n", counts, *(f"-{x}" for x in old), *(f"+{x}" for x in new)]
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
