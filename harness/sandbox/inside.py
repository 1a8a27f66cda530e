"""The one program that touches an agent's files: reads, writes and surveys a workspace without following any link.

Standard library only, because it runs in two ways: imported by the local engine, and sent as text to the python of a
container (`python3 -I -S -c`, requests as one JSON line each on stdin, answers on stdout, until stdin ends). Every
folder of a path is opened relative to the one before without following links; a file is opened once and judged by that
descriptor, so what is swapped in meanwhile is not read. Never trusts a name, a size or a file type that it did not get
from a descriptor.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

CHUNK = 1 << 20
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
SURVEY_FILES, SURVEY_DEPTH, SURVEY_S = 5000, 20, 20.0
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Refused(Exception):
    """The reason, in words for the agent."""


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if not path or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise Refused("its path must be relative and plain: no '..', '.', empty part or leading slash")
    return parts


def _reason(error: OSError, name: str) -> Refused:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return Refused(f"{name!r} is a link, or lies under something that is not a folder; links are not followed")
    if error.errno == errno.ENOENT:
        return Refused("it does not exist")
    return Refused(f"{name!r} cannot be opened: {error.strerror}")


def open_folder(root: str, parts: list[str], make: bool = False, owner: int | None = None) -> int:
    """Descriptor of the folder `parts` below root, made on the way when asked. Raises Refused."""
    here = os.open(root, FOLDER)
    for part in parts:
        try:
            if make:
                try:
                    os.mkdir(part, 0o755, dir_fd=here)
                    if owner is not None:
                        os.chown(part, owner, owner, dir_fd=here, follow_symlinks=False)
                except FileExistsError:
                    pass
            below = os.open(part, FOLDER, dir_fd=here)
        except OSError as error:
            raise _reason(error, part) from None
        finally:
            os.close(here)
        here = below
    return here


def open_file(root: str, path: str, cap: int) -> tuple[int, int]:
    """Descriptor and size of a regular file with one name and at most `cap` bytes. Raises Refused."""
    *folders, name = _parts(path)
    folder = open_folder(root, folders)
    try:
        kind = stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        if kind != stat.S_IFREG:
            raise Refused(f"it is {KINDS.get(kind, 'not a regular file')}; only a regular file is taken")
        descriptor = os.open(name, FILE, dir_fd=folder)
    except OSError as error:
        raise _reason(error, name) from None
    finally:
        os.close(folder)
    found = os.fstat(descriptor)
    why = None
    if not stat.S_ISREG(found.st_mode):
        why = "it is not a regular file"
    elif found.st_nlink != 1:
        why = f"it has {found.st_nlink} names (hard links); copy the content into a file of its own"
    elif found.st_size > cap:
        why = f"it is {found.st_size} bytes; at most {cap} are taken"
    if why:
        os.close(descriptor)
        raise Refused(why)
    return descriptor, found.st_size


def stream(descriptor: int, size: int) -> Iterator[bytes]:
    """Exactly `size` bytes. Raises Refused when the file shrank or grew meanwhile."""
    left = size
    while left:
        chunk = os.read(descriptor, min(CHUNK, left))
        if not chunk:
            raise Refused("it shrank while it was read")
        left -= len(chunk)
        yield chunk
    if os.read(descriptor, 1):
        raise Refused("it grew while it was read")


def read_file(root: str, path: str, cap: int) -> bytes:
    """The content of one regular file. Raises Refused."""
    descriptor, size = open_file(root, path, cap)
    try:
        return b"".join(stream(descriptor, size))
    finally:
        os.close(descriptor)


def write_file(root: str, path: str, data: bytes, owner: int | None = None) -> None:
    """Create or replace one file and its folders; a link of that name is replaced, not followed. Who could execute the
    file before can execute it afterwards. Raises Refused."""
    *folders, name = _parts(path)
    folder = open_folder(root, folders, make=True, owner=owner)
    beside = f".{os.urandom(8).hex()}"
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if owner is not None:
                os.fchown(descriptor, owner, owner)
            if executable := _executable(folder, name):
                os.fchmod(descriptor, 0o644 | executable)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        raise Refused(f"{path!r} cannot be written: {error.strerror}") from None
    finally:
        os.close(folder)


def _executable(folder: int, name: str) -> int:
    """The permissions to execute that a regular file of this name has; 0 when there is none."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return 0
    return mode & 0o111 if stat.S_ISREG(mode) else 0


def survey(root: str, known: dict[str, str], file_cap: int, total_cap: int) -> Iterator[tuple[dict[str, Any], bytes]]:
    """What differs from `known` (path -> SHA-256): a record each, with the content where it is small text.

    Bounded in files, depth, bytes and time; a last record says what was left out."""
    seen, sent, deadline = set(), 0, time.monotonic() + SURVEY_S
    for count, (path, kind) in enumerate(_walk(root, "", 0)):
        if count >= SURVEY_FILES or time.monotonic() > deadline:
            yield {"change": "unfinished", "path": path}, b""
            return
        seen.add(path)
        if kind != stat.S_IFREG:
            yield {"change": "special", "path": path, "kind": KINDS.get(kind, "special")}, b""
            continue
        try:
            content = read_file(root, path, file_cap)
        except Refused as why:
            yield {"change": "withheld", "path": path, "why": str(why)}, b""
            continue
        if known.get(path) == hashlib.sha256(content).hexdigest():
            continue
        text = b"\0" not in content and sent + len(content) <= total_cap
        sent += len(content) if text else 0
        yield {"change": "text" if text else "binary", "path": path, "bytes": len(content)}, content if text else b""
    for path in sorted(set(known) - seen):
        yield {"change": "deleted", "path": path}, b""


def _walk(root: str, below: str, depth: int) -> Iterator[tuple[str, int]]:
    """Every entry that is not a folder, sorted within its folder; caches of the interpreter are passed over."""
    try:
        folder = open_folder(root, below.split("/") if below else [])
    except Refused:
        return
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - by descriptor, which pathlib cannot
        kinds = []
        for name in names:
            try:
                kinds.append((name, stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)))
            except OSError:
                continue
    finally:
        os.close(folder)
    for name, kind in kinds:
        path = f"{below}/{name}" if below else name
        if kind != stat.S_IFDIR:
            yield path, kind
        elif depth < SURVEY_DEPTH and name not in ("__pycache__", ".git"):
            yield from _walk(root, path, depth + 1)


def _answer(out: BinaryIO, header: dict[str, Any], content: bytes = b"") -> None:
    out.write(json.dumps({**header, "size": len(content)}).encode() + b"\n" + content)


def _send_file(out: BinaryIO, root: str, path: str, cap: int) -> None:
    """Header, content, and a line that says whether the content is whole."""
    try:
        descriptor, size = open_file(root, path, cap)
    except Refused as why:
        return _answer(out, {"refused": str(why)})
    out.write(json.dumps({"size": size}).encode() + b"\n")
    left, verdict = size, {}
    try:
        for chunk in stream(descriptor, size):
            out.write(chunk)
            left -= len(chunk)
    except Refused as why:
        verdict = {"refused": str(why)}
        while left:
            left -= out.write(bytes(min(CHUNK, left)))
    finally:
        os.close(descriptor)
    return _answer(out, verdict)


def main() -> None:
    """Answer request after request from stdin, until it ends."""
    while line := sys.stdin.buffer.readline():
        _answer_request(json.loads(line), sys.stdout.buffer)


def _answer_request(request: dict[str, Any], out: BinaryIO) -> None:
    root = request["root"]
    if request["op"] == "read":
        for path, cap in request["files"]:
            _send_file(out, root, path, cap)
    elif request["op"] == "write":
        data = sys.stdin.buffer.read(request["size"])
        try:
            write_file(root, request["path"], data)
            _answer(out, {})
        except Refused as why:
            _answer(out, {"refused": str(why)})
    elif request["op"] == "wake":
        _answer(out, {"word": request["word"]})
    else:
        for header, content in survey(root, request["known"], request["file_cap"], request["total_cap"]):
            _answer(out, header, content)
        _answer(out, {"change": "end"})
    out.flush()


if __name__ == "__main__":
    main()
