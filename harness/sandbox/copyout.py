"""The host's side of inside.py in a container: one request, and an answer that is believed in nothing but its bytes.

The helper runs as the agent's user, so the agent can kill it, stop it or speak in its name. It gains nothing: what it
forges is only the content that it could have written to the file. Every length is capped here and every wait has a
deadline; an answer that breaks a rule raises Disturbed, and the caller asks again where no agent process is left.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import InvalidArtifact
from harness.sandbox.channel import STDOUT, Channel, ChannelClosed
from harness.sandbox.inside import SURVEY_FILES

ARGV = ("python3", "-I", "-S", "-c", Path(__file__).with_name("inside.py").read_text(encoding="utf-8"))
HEADER_CAP_BYTES = 64 << 10
BASE_LIMIT_S, WAKE_LIMIT_S = 20.0, 2.0
SLOWEST_BYTES_PER_S = 20 << 20
CHANGES = ("text", "binary", "deleted", "special", "withheld", "unfinished")
WORDS_CAP = 300


class Disturbed(Exception):
    """The helper died, stalled or said what it never says."""


class Inquiry:
    """One question to the helper. `budget` bounds the bytes of content in the whole answer."""

    def __init__(
        self, channel: Channel, request: dict[str, Any], data: bytes, budget: int, base_s: float = BASE_LIMIT_S
    ) -> None:
        self._channel = channel
        self._budget = budget
        self._buffer = bytearray()
        self._deadline = time.monotonic() + base_s + (budget + len(data)) / SLOWEST_BYTES_PER_S
        try:
            channel.send(json.dumps(request).encode() + b"\n" + data, self._left())
        except (ChannelClosed, TimeoutError) as error:
            raise Disturbed(f"the helper took no request ({error!r})") from None

    def record(self) -> tuple[dict[str, Any], bytes]:
        """The next header with its content."""
        self._left()
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > HEADER_CAP_BYTES:
                raise Disturbed("a header without end")
            self._more()
        header = self._header(bytes(self._buffer[:end]))
        del self._buffer[: end + 1]
        self._budget -= header["size"]
        if self._budget < 0:
            raise Disturbed("more bytes than were asked for")
        return header, self._content(header["size"])

    def _content(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        content = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return content

    def _more(self) -> None:
        try:
            chunks = self._channel.receive(self._left())
        except ChannelClosed:
            raise Disturbed("the helper ended early") from None
        for stream, data in chunks:
            if stream == STDOUT:
                self._buffer += data

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Disturbed("the helper stalled")
        return left

    @staticmethod
    def _header(line: bytes) -> dict[str, Any]:
        try:
            header = json.loads(line)
        except (ValueError, RecursionError):
            raise Disturbed("a header that is not JSON") from None
        if not isinstance(header, dict) or not isinstance(header.get("size"), int) or header["size"] < 0:
            raise Disturbed("a header without a size")
        return header


def read_files(channel: Channel, root: str, paths: Sequence[tuple[str, int]]) -> dict[str, bytes]:
    """The content of every file. Raises InvalidArtifact, Disturbed."""
    inquiry = Inquiry(channel, {"op": "read", "root": root, "files": list(paths)}, b"", sum(cap for _, cap in paths))
    taken = {}
    for path, cap in paths:
        header, content = inquiry.record()
        if "refused" not in header:
            header, _ = inquiry.record()
        if why := _refusal(header):
            raise InvalidArtifact(f"artifact {path!r} is refused: {why}")
        if len(content) > cap:
            raise Disturbed("a file over its cap")
        taken[path] = content
    return taken


def wake(channel: Channel, root: str) -> None:
    """Raises Disturbed when a helper that has waited for its next request does not answer soon."""
    word = secrets.token_hex(8)
    header, _ = Inquiry(channel, {"op": "wake", "root": root, "word": word}, b"", 0, WAKE_LIMIT_S).record()
    if header.get("word") != word:
        raise Disturbed("the helper says what nobody asked")


def write_file(channel: Channel, root: str, path: str, data: bytes) -> str | None:
    """Why it was refused, or None. Raises Disturbed."""
    request = {"op": "write", "root": root, "path": path, "size": len(data)}
    return _refusal(Inquiry(channel, request, data, 0).record()[0])


def _refusal(header: dict[str, Any]) -> str | None:
    """Why the helper refuses, in one printable line; it may be the agent who says so."""
    why = header.get("refused")
    return None if why is None else "".join(char if char.isprintable() else "?" for char in str(why)[:WORDS_CAP])


def survey(
    channel: Channel, root: str, known: dict[str, str], file_cap: int, total_cap: int
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """What differs from the starter, record by record (inside.survey). Raises Disturbed."""
    request = {"op": "survey", "root": root, "known": known, "file_cap": file_cap, "total_cap": total_cap}
    inquiry = Inquiry(channel, request, b"", total_cap)
    for _ in range(SURVEY_FILES + len(known) + 2):
        header, content = inquiry.record()
        if header.get("change") == "end":
            return
        if header.get("change") not in CHANGES:
            raise Disturbed("a change of no kind")
        yield header, content
    raise Disturbed("more changes than a survey has")
