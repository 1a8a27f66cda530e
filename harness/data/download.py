"""One url into one partial file: https only, resumed by Range, hashed while it streams, capped in bytes and time.

Takes a Transfer, leaves the bytes in its partial file and gives their size and SHA-256, or raises Unfetched. An
interruption keeps what came, and beside it the server's name for that version, so that a file which changed in between
is not sewn together. Never follows a redirect to anything but https, never writes more than the expected size.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.request import OpenerDirector, Request

from harness.data.partial import Content, Partial

SOCKET_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 20_000
TRIES = 4
PAUSE_S = 0.5
PIECE = 1 << 16


class Unfetched(Exception):
    """This place cannot give the file; the text says why."""


class _Interrupted(Exception):
    """The connection broke or stalled: worth another try."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    allowed: tuple[str, ...] = ("https://",)

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if not newurl.lower().startswith(self.allowed):
            raise Unfetched("redirects to something that is not https; refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def https_opener(
    context: ssl.SSLContext | None = None,
    *,
    plain_http: bool = False,
    https: urllib.request.HTTPSHandler | None = None,
) -> OpenerDirector:
    """An opener that knows https and nothing else (no http, file, ftp or data urls), through the machine's proxies.

    `context` names whom to trust. `https` connects by a way of its own, and past the proxies. `plain_http` lets http in
    too: for a hub that the user named by such an address.
    """
    opener = OpenerDirector()
    redirects = _Redirects()
    for handler in (
        urllib.request.ProxyHandler({} if https else None),
        https or urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        redirects,
    ):
        opener.add_handler(handler)
    if plain_http:
        opener.add_handler(urllib.request.HTTPHandler())
        redirects.allowed = ("https://", "http://")
    opener.addheaders = [("User-Agent", "gymboard"), ("Accept-Encoding", "identity")]
    return opener


@dataclass(frozen=True)
class Transfer:
    """Where from, where to, how much (None: as much as the server says).

    `pinned`: the digest is known, so bytes of another place may be continued. `room` is asked before bytes are taken
    whose number was not known before. `headers` go to the first host only, never along with a redirect.
    """

    url: str
    partial: Path
    size_bytes: int | None
    opener: OpenerDirector
    progress: Callable[[int, int], None] | None = None
    pinned: bool = True
    room: Callable[[int], None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def download(transfer: Transfer, fault: Callable[[Content], str | None]) -> Content:
    """Fetch until the file is whole and has no fault. Raises Unfetched; OSError when the disk is at fault.

    A file that was resumed and is wrong is fetched once more from its beginning: its first part may have come from
    another place. A try that brought new bytes does not count against the number of tries.
    """
    part = Partial(transfer.partial, transfer.url, mixed=transfer.pinned)
    try:
        resumed = part.size > 0
        _complete(transfer, part)
        content = part.content()
        if wrong := fault(content):
            part.discard()
            if not resumed:
                raise Unfetched(wrong)
            return download(transfer, fault)
        return content
    finally:
        part.close()


def _complete(transfer: Transfer, part: Partial) -> None:
    """Bring the partial file to its full size."""
    failures = 0
    wanted = transfer.size_bytes or part.total
    if part.size and (wanted is None or part.size > wanted):
        part.discard()
    while wanted is None or part.size < wanted:
        before = part.size
        try:
            wanted = _once(transfer, part)
        except _Interrupted as error:
            wanted = transfer.size_bytes or part.total
            failures = 0 if part.size > before else failures + 1
            if failures >= TRIES:
                raise Unfetched(f"{error} ({TRIES} tries)") from None
            time.sleep(PAUSE_S * 2**failures)
    if part.size > wanted:
        part.discard()
        raise Unfetched(f"gives more than the {wanted:,} bytes expected")


def _once(transfer: Transfer, part: Partial) -> int:
    """One request; the size that the file has when it is whole."""
    request = Request(transfer.url, headers=part.range_headers())  # noqa: S310
    for name, value in transfer.headers.items():
        request.add_unredirected_header(name, value)
    try:
        response = transfer.opener.open(request, timeout=SOCKET_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        raise _verdict(error.code, part) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise Unfetched(f"its certificate is not trusted: {error.reason.verify_message}") from None
        raise _Interrupted(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from None
    with response:
        return _store(response, transfer, part)


def _verdict(code: int, part: Partial) -> Exception:
    if code == 416 and part.size:
        part.discard()
        return _Interrupted("refuses to resume")
    return _Interrupted(f"HTTP {code}") if code == 429 or code >= 500 else Unfetched(f"HTTP {code}")


def _store(response: http.client.HTTPResponse, transfer: Transfer, part: Partial) -> int:
    """Append to the partial file, or begin it anew when the server does not resume."""
    found = re.match(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    goes_on = response.status == 206 and found is not None and int(found[1]) == part.size
    if response.status != 200 and not goes_on:
        raise Unfetched(f"answers HTTP {response.status} to a request from byte {part.size}")
    said = found[2] if goes_on and found else response.headers.get("Content-Length", "")
    size = transfer.size_bytes or (int(said) if said.isdigit() else None)
    if size is None:
        raise Unfetched("does not say how long the file is, and the task does not know either")
    if not goes_on:
        part.discard()
    if transfer.size_bytes is None and transfer.room:
        transfer.room(size - part.size)
    part.begin(response.headers.get("ETag"), size)
    deadline = time.monotonic() + SOCKET_TIMEOUT_S + size / SLOWEST_BYTES_PER_S
    try:
        while part.size <= size and (piece := _piece(response)):
            part.write(piece)
            if transfer.progress:
                transfer.progress(part.size, size)
            if time.monotonic() > deadline:
                raise _Interrupted("too slow")
    finally:
        part.flush()
    if part.size < size:
        raise _Interrupted(f"ends after {part.size:,} of {size:,} bytes")
    return size


def _piece(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from None
