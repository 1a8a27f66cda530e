"""Fetch: payload parts that lie elsewhere, brought beside bundle.json.

Takes a bundle folder, gives the names of the parts that were fetched; each has exactly the size and digest that the
bundle states before it gets its name. The addresses are a stranger's: https only, public addresses only, looked up once
and connected to as looked up, at every redirect anew. Never sends a credential, never uses a proxy, never keeps bytes
that do not fit.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import re
import socket
import ssl
import tempfile
import time
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from harness.archive import ArchiveCaps
from harness.errors import VerificationError
from harness.schema.bundle import Bundle, PayloadPart
from harness.signing import BUNDLE
from harness.verify import read_bundle

MAX_REDIRECTS = 5
SOCKET_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 100_000
PIECE = 1 << 16
_PART = re.compile(r"[a-z0-9-]+\.tar\.zst")
_TARGET = re.compile(r"[!-~]*")
_REDIRECT = (301, 302, 303, 307, 308)


def fetch(bundle_folder: Path, context: ssl.SSLContext | None = None) -> tuple[str, ...]:
    """Bring every part that is not there yet. `context` names whom to trust.

    Raises SchemaError on a bundle that cannot be read, VerificationError("fetch", ...) on a part that cannot be had.
    """
    bundle = Bundle.from_json(read_bundle(bundle_folder), subject=BUNDLE)
    away = [part for part in bundle.payload if part.location and not os.path.lexists(bundle_folder / part.name)]
    if (total := sum(part.size_bytes for part in away)) > ArchiveCaps().packed:
        raise VerificationError("fetch", f"the parts elsewhere have {total:,} bytes, {ArchiveCaps().packed:,} at most")
    if odd := [part.name for part in away if not _PART.fullmatch(part.name)]:
        raise VerificationError("fetch", f"{odd[0]!r} is no name of a payload part")
    for part in away:
        _fetch(part, bundle_folder, context or ssl.create_default_context())
    return tuple(part.name for part in away)


def _fetch(part: PayloadPart, folder: Path, context: ssl.SSLContext) -> None:
    with tempfile.NamedTemporaryFile(dir=folder.resolve().parent, prefix=".fetch-", delete=False) as out:
        try:
            _download(part, out, context)
            out.flush()
            os.fsync(out.fileno())
            Path(out.name).replace(folder / part.name)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise VerificationError("fetch", f"{part.name} cannot be had from {part.location}: {error}") from None
        finally:
            Path(out.name).unlink(missing_ok=True)


def _download(part: PayloadPart, out: IO[bytes], context: ssl.SSLContext) -> None:
    url = str(part.location)
    deadline = time.monotonic() + SOCKET_TIMEOUT_S + part.size_bytes / SLOWEST_BYTES_PER_S
    for _ in range(MAX_REDIRECTS + 1):
        host, port, target = _address(url)
        connection = _PublicHttps(host, port, timeout=SOCKET_TIMEOUT_S, context=context)
        try:
            connection.request("GET", target, headers={"Accept-Encoding": "identity", "User-Agent": "gymboard"})
            answer = connection.getresponse()
            if answer.status not in _REDIRECT:
                _receive(answer, part, out, deadline)
                return
            url = urljoin(url, answer.getheader("Location") or "")
        finally:
            connection.close()
    raise VerificationError("fetch", f"{part.name}: more than {MAX_REDIRECTS} redirects from {part.location}")


def _address(url: str) -> tuple[str, int, str]:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise VerificationError("fetch", f"{url[:200]!r} is not a plain https address")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(target):
        raise VerificationError("fetch", f"{url[:200]!r} holds characters that an address cannot have")
    return parts.hostname, parts.port or 443, target


def _receive(answer: http.client.HTTPResponse, part: PayloadPart, out: IO[bytes], deadline: float) -> None:
    if answer.status != 200:
        raise VerificationError("fetch", f"{part.name}: its server answers {answer.status}")
    digest, left = hashlib.sha256(), part.size_bytes
    while piece := answer.read1(PIECE):
        left -= len(piece)
        if left < 0:
            raise VerificationError("fetch", f"{part.name}: its server sends more than {part.size_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise VerificationError("fetch", f"{part.name}: slower than {SLOWEST_BYTES_PER_S:,} bytes/s; given up")
        digest.update(piece)
        out.write(piece)
    if left or digest.hexdigest() != part.sha256:
        raise VerificationError("fetch", f"{part.name}: its server sends other bytes than the bundle states")


class _PublicHttps(http.client.HTTPSConnection):
    """Connects to a public address that it looked up itself; the certificate is held to the name."""

    def __init__(self, host: str, port: int, *, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._trust = context

    def connect(self) -> None:
        addresses = public_addresses(self.host, self.port)
        for last, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                plain = socket.create_connection((address, self.port), SOCKET_TIMEOUT_S)
                break
            except OSError:
                if last == 0:
                    raise
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host of whose addresses every one is public. Raises VerificationError, OSError."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
        if not address.is_global or not inner.is_global or address.is_multicast:
            raise VerificationError("fetch", f"{host} is {text}, which is no public address; refused")
    return found
