"""One url into one partial file: https only, resumed by Range, capped in bytes and time.

Takes a Transfer, leaves the verified bytes in its partial file or raises Unfetched. An interruption keeps what came.
Never follows a redirect to anything but https, never writes more than the declared size.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.request import OpenerDirector, Request

SOCKET_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 20_000
TRIES = 4
PIECE = 1 << 16


class Unfetched(Exception):
    """This url cannot give the file; the text says why."""


class _Interrupted(Exception):
    """The connection broke or stalled: worth another try."""


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        if not newurl.lower().startswith("https://"):
            raise Unfetched("redirects to something that is not https; refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def https_opener(context: ssl.SSLContext | None = None) -> OpenerDirector:
    """An opener that knows https and nothing else (no http, file, ftp or data urls). `context` names whom to trust."""
    opener = OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=context or ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _HttpsRedirects(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "gymboard"), ("Accept-Encoding", "identity")]
    return opener


@dataclass(frozen=True)
class Transfer:
    """Where from, where to, how much."""

    url: str
    partial: Path
    size_bytes: int
    opener: OpenerDirector
    progress: Callable[[int], None] | None = None
    pause_s: float = 0.5


def download(transfer: Transfer, matches: Callable[[Path], bool]) -> None:
    """Fetch until the partial file is whole and `matches` holds. Raises Unfetched; OSError when the disk is at fault.

    A file that was resumed and does not match is fetched once more from its beginning: its first part may have come
    from another place. A try that brought new bytes does not count against the number of tries.
    """
    resumed = _size(transfer.partial) > 0
    _complete(transfer)
    if not matches(transfer.partial):
        transfer.partial.unlink()
        if not resumed:
            raise Unfetched("gives other bytes than the pinned SHA-256")
        download(transfer, matches)


def _complete(transfer: Transfer) -> None:
    """Bring the partial file to its full size."""
    failures = 0
    while (before := _size(transfer.partial)) < transfer.size_bytes:
        try:
            _once(transfer, before)
        except _Interrupted as error:
            failures = 0 if _size(transfer.partial) > before else failures + 1
            if failures >= TRIES:
                raise Unfetched(f"{error} ({TRIES} tries)") from None
            time.sleep(transfer.pause_s * 2**failures)
    if _size(transfer.partial) > transfer.size_bytes:
        transfer.partial.unlink()
        raise Unfetched(f"gives more than the {transfer.size_bytes:,} bytes expected")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _once(transfer: Transfer, offset: int) -> None:
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    try:
        response = transfer.opener.open(Request(transfer.url, headers=headers), timeout=SOCKET_TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        raise _verdict(error.code, transfer, offset) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise Unfetched(f"its certificate is not trusted: {error.reason.verify_message}") from None
        raise _Interrupted(str(error.reason)) from None
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from None
    with response:
        _store(response, transfer, offset)


def _verdict(code: int, transfer: Transfer, offset: int) -> Exception:
    if code == 416 and offset:
        transfer.partial.unlink()
        return _Interrupted("refuses to resume")
    return _Interrupted(f"HTTP {code}") if code == 429 or code >= 500 else Unfetched(f"HTTP {code}")


def _store(response: http.client.HTTPResponse, transfer: Transfer, offset: int) -> None:
    """Append to the partial file, or begin it anew when the server does not resume."""
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    goes_on = response.status == 206 and start is not None and int(start[1]) == offset
    if response.status != 200 and not goes_on:
        raise Unfetched(f"answers HTTP {response.status} to a request from byte {offset}")
    done = offset if goes_on else 0
    deadline = time.monotonic() + SOCKET_TIMEOUT_S + transfer.size_bytes / SLOWEST_BYTES_PER_S
    with transfer.partial.open("ab" if goes_on else "wb") as file:
        while piece := _piece(response):
            file.write(piece)
            done += len(piece)
            if transfer.progress:
                transfer.progress(done)
            if done > transfer.size_bytes:
                break
            if time.monotonic() > deadline:
                raise _Interrupted("too slow")
        file.flush()
        os.fsync(file.fileno())
    if done < transfer.size_bytes:
        raise _Interrupted(f"ends after {done:,} of {transfer.size_bytes:,} bytes")


def _piece(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from None
