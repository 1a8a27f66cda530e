"""The one program that looks at files for the tools: a window of lines, a search, names. Runs in the sandbox.

Standard library only, sent as text to the sandbox's python (`python3 -I -S -c`, request as one JSON argument, answer
as one marked line). It runs as the agent's user and reads what that user can read; it opens regular files only, never
blocks on a FIFO or a device, and bounds what it scans, keeps and answers. Never writes.
"""

from __future__ import annotations

import json
import mmap
import os
import stat
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

CHUNK = 1 << 20
LINE_CHARS = 400
LINE_BYTES = 4 * LINE_CHARS
ANSWER_BYTES = 40_000
SCAN_S, SCAN_ENTRIES, SCAN_BYTES = 10.0, 50_000, 1 << 30
SNIFF_BYTES = 8192
DEADLINE = time.monotonic() + SCAN_S
PASSED_OVER = {".git", "__pycache__", ".ipynb_checkpoints"}


class Refused(Exception):
    """The reason, in words for the agent."""


class StopScan(Exception):
    """A bound was reached; what was found so far stands."""


def resolve(root: Path, path: str) -> Path:
    """Where `path` leads from the workspace; `$GYMBOARD_DATA/x` is expanded when no file has that very name."""
    literal = root / path
    return literal if os.path.lexists(literal) else root / os.path.expandvars(path)


def shown(root: Path, path: Path) -> str:
    """The shortest plain name: relative inside the workspace."""
    plain = Path(os.path.normpath(path))
    return str(plain.relative_to(root) if plain.is_relative_to(root) else plain)


def open_regular(path: Path) -> tuple[int, int]:
    """Descriptor and size of a regular file. Raises Refused."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind == stat.S_IFDIR:
            raise Refused("it is a folder; list it with bash: ls")
        if kind != stat.S_IFREG:
            raise Refused("it is not a regular file")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Refused(getattr(error, "strerror", None) or str(error)) from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):  # swapped meanwhile
        os.close(descriptor)
        raise Refused("it is not a regular file")
    return descriptor, found.st_size


def is_binary(descriptor: int) -> bool:
    """Whether the file's beginning has a NUL, which no text has."""
    return b"\0" in os.pread(descriptor, SNIFF_BYTES, 0)


def clipped(line: bytes, unread: int = 0) -> str:
    """The first characters of a line; `unread` bytes of it are not in `line`."""
    text = line.decode("utf-8", errors="replace")
    left_out = max(0, len(text) - LINE_CHARS) + unread
    return text[:LINE_CHARS] + (f" [... {left_out} more]" if left_out else "")


def cost(*texts: str) -> int:
    """Bytes that these texts take in the answer."""
    return sum(len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) + 8 for text in texts)


def scan(descriptor: int, wanted: int) -> tuple[int, int, bool]:
    """Number of lines, offset of line `wanted` (0 when there are fewer), whether the whole file was scanned."""
    newlines, offset, at, last = 0, 0, 0, b"\n"
    while chunk := os.pread(descriptor, CHUNK, at):
        if time.monotonic() > DEADLINE or at >= SCAN_BYTES:
            return newlines + 1, offset, False
        here = chunk.count(b"\n")
        if newlines < wanted - 1 <= newlines + here:
            offset = at + len(chunk) - len(chunk.split(b"\n", wanted - 1 - newlines)[-1])
        newlines, at, last = newlines + here, at + len(chunk), chunk[-1:]
    return newlines + (last != b"\n"), offset, True


def lines_from(descriptor: int, offset: int) -> Iterator[str]:
    """Lines from an offset on, each clipped; a line of a gigabyte costs no more memory than a short one."""
    kept, unread, at = b"", 0, offset
    while (chunk := os.pread(descriptor, CHUNK, at)) and time.monotonic() < DEADLINE:
        at += len(chunk)
        for number, piece in enumerate(chunk.split(b"\n")):
            if number:
                yield clipped(kept, unread)
                kept, unread = b"", 0
            taken = piece[: LINE_BYTES - len(kept)]
            kept, unread = kept + taken, unread + len(piece) - len(taken)
    if kept:
        yield clipped(kept, unread)


def window(path: Path, first: int, count: int) -> dict[str, Any]:
    """`count` lines from `first` on; past the end the last ones."""
    descriptor, size = open_regular(path)
    kept: list[str] = []
    room = ANSWER_BYTES
    try:
        if is_binary(descriptor):
            raise Refused(f"it is binary, {size} bytes; look at it with a program of your own")
        total, offset, whole = scan(descriptor, first)
        if first > (latest := max(1, total - count + 1)):
            first = latest
            total, offset, whole = scan(descriptor, first)
        for line in lines_from(descriptor, offset):
            room -= cost(line)
            if len(kept) == count or (kept and room < 0):
                break
            kept.append(line)
    finally:
        os.close(descriptor)
    return {"lines": kept, "first": first, "total": total, "whole": whole, "bytes": size}


def files_below(folder: Path) -> Iterator[Path]:
    """Every regular file below, sorted within its folder; links are not followed. Raises StopScan at its bounds."""
    if not folder.is_dir():
        raise Refused("there is no such folder")
    entries = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in PASSED_OVER)
        for name in sorted(names):
            entries += 1
            if entries > SCAN_ENTRIES or time.monotonic() > DEADLINE:
                raise StopScan
            file = Path(here, name)
            if file.is_file() and not file.is_symlink():
                yield file


def matches(file: Path, term: bytes) -> Iterator[tuple[int, str]]:
    """Line number and text of every line of a text file that has `term`."""
    descriptor, size = open_regular(file)
    try:
        if not size or is_binary(descriptor):
            return
        with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as data:
            line, start, at = 1, 0, data.find(term)
            while at >= 0:
                if time.monotonic() > DEADLINE:
                    raise StopScan
                line += sum(data[low : min(low + CHUNK, at)].count(b"\n") for low in range(start, at, CHUNK))
                begin = max(data.rfind(b"\n", 0, at) + 1, at - LINE_CHARS // 2)
                end = data.find(b"\n", at)
                end = size if end < 0 else end
                taken = data[begin : min(end, begin + LINE_BYTES)]
                yield line, clipped(taken, end - begin - len(taken))
                start, at = at, data.find(term, end)
    finally:
        os.close(descriptor)


def search(root: Path, path: Path, term: str, most: int) -> dict[str, Any]:
    """Lines with `term` in one file, or in every text file below a folder: the first ones, and counts by file."""
    found: list[tuple[str, int, str]] = []
    counts: dict[str, int] = {}
    room, whole = ANSWER_BYTES // 2, True
    try:
        for file in files_below(path) if path.is_dir() else [path]:
            name = shown(root, file)
            try:
                for line, text in matches(file, term.encode()):
                    counts[name] = counts.get(name, 0) + 1
                    room -= cost(name, text)
                    if len(found) < most and room > 0:
                        found.append((name, line, text))
            except (Refused, OSError, ValueError) as why:
                if file == path:
                    raise Refused(str(why)) from None
    except StopScan:
        whole = False
    by_file: list[tuple[str, int]] = []
    room = ANSWER_BYTES // 2
    for name, count in counts.items():
        room -= cost(name)
        if len(by_file) < most and room > 0:
            by_file.append((name, count))
    return {"found": found, "files": by_file, "total": sum(counts.values()), "of": len(counts), "whole": whole}


def find(root: Path, folder: Path, pattern: str, most: int) -> dict[str, Any]:
    """Names of files below a folder whose last part matches a shell pattern."""
    names: list[str] = []
    total, room, whole = 0, ANSWER_BYTES, True
    try:
        for file in files_below(folder):
            if not fnmatchcase(file.name, pattern):
                continue
            total, name = total + 1, shown(root, file)
            room -= cost(name)
            if len(names) < most and room > 0:
                names.append(name)
    except StopScan:
        whole = False
    return {"names": names, "total": total, "whole": whole}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """One request, one answer."""
    root = Path(request["root"])
    path = resolve(root, request["path"])
    try:
        if request["op"] == "window":
            said = window(path, request["first"], request["count"])
        elif request["op"] == "search":
            said = search(root, path, request["term"], request["most"])
        else:
            said = find(root, path, request["pattern"], request["most"])
    except Refused as why:
        return {"path": shown(root, path), "refused": str(why)}
    return {"path": shown(root, path), **said}


def main() -> None:
    """Answer the request of the first argument."""
    request = json.loads(sys.argv[1])
    text = json.dumps(answer(request), ensure_ascii=False)
    sys.stdout.buffer.write(b"\n" + request["mark"].encode() + text.encode("utf-8", "replace") + b"\n")


if __name__ == "__main__":
    main()
