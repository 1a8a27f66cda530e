"""One GET of an address that an agent chose: https to public addresses only, bounded in bytes, time and redirects.

Takes an url, gives status, headers and body. The name is resolved once, checked, and that very address is connected to,
for the first host and for every redirect, so that no name can point inside afterwards. Never uses a proxy (one would
resolve names by itself), never sends a header on to another host.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

from harness.addresses import is_public
from harness.errors import GymboardError

REDIRECTS = 5
SOCKET_S = 20.0
PIECE = 1 << 16
AGENT = "gymboard (https only; one request a second)"


class Unfetchable(GymboardError):
    """Why there is nothing, in words for the agent."""


@dataclass(frozen=True)
class Page:
    """An answer; header names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Web:
    """`context`: whom to trust. `permitted`: which addresses may be connected to."""

    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    permitted: Callable[[str], bool] = is_public

    def get(self, url: str, *, most_bytes: int, limit_s: float, headers: Mapping[str, str] | None = None) -> Page:
        """Follow at most 5 redirects. Raises Unfetchable."""
        deadline, sent = time.monotonic() + limit_s, dict(headers or {})
        for _ in range(REDIRECTS + 1):
            page = self._once(url, sent, most_bytes, deadline)
            where = page.headers.get("location")
            if page.status not in (301, 302, 303, 307, 308) or not where:
                return page
            url, sent = urljoin(url, where), {}
        raise Unfetchable(f"more than {REDIRECTS} redirects")

    def _once(self, url: str, headers: Mapping[str, str], most_bytes: int, deadline: float) -> Page:
        parts = _split(url)
        assert parts.hostname is not None
        connection = _Connection(parts.hostname, parts.port or 443, self.context, self.permitted, deadline)
        try:
            connection.connect()
            with _cut_off(connection, deadline):
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("GET", path, headers={"User-Agent": AGENT, "Accept-Encoding": "identity", **headers})
                return _page(url, connection.getresponse(), most_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= deadline
            why = "it took too long" if late else str(error) or type(error).__name__
            raise Unfetchable(f"{parts.hostname}: {why}") from None
        finally:
            connection.close()


class _Connection(http.client.HTTPSConnection):
    """Connects to an address of its host that is permitted, when all are."""

    def __init__(
        self, host: str, port: int, context: ssl.SSLContext, permitted: Callable[[str], bool], deadline: float
    ) -> None:
        super().__init__(host, port, timeout=SOCKET_S, context=context)
        self._trust, self._permitted, self._deadline = context, permitted, deadline

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if inside := [address for address in addresses if not self._permitted(address)]:
            raise Unfetchable(f"{self.host} is {inside[0]}, which is no public address; refused")
        plain = self._reached(addresses)
        try:
            self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    def _reached(self, addresses: list[str]) -> socket.socket:
        error: OSError = OSError("no address")
        for address in addresses:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("too late")
            try:
                return socket.create_connection((address, self.port), timeout=min(SOCKET_S, left))
            except OSError as failed:
                error = failed
        raise error


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise Unfetchable(f"this is no url: {error}") from None
    if parts.scheme != "https" or not parts.hostname:
        raise Unfetchable("only https urls are fetched")
    if parts.username is not None or parts.password is not None:
        raise Unfetchable("an url with a user or a password is not fetched")
    if not url.isascii() or any(char <= " " for char in url):
        raise Unfetchable("this is no url: percent-encode spaces and everything that is not ASCII")
    return parts


def _page(url: str, response: http.client.HTTPResponse, most_bytes: int) -> Page:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if headers.get("content-encoding", "identity") != "identity":
        raise Unfetchable(f"answers in the encoding {headers['content-encoding'][:40]!r}, which was not asked for")
    body = bytearray()
    while piece := response.read(min(PIECE, most_bytes + 1 - len(body))):
        body += piece
        if len(body) > most_bytes:
            raise Unfetchable(f"it is longer than {most_bytes >> 20} MiB")
    if response.length:
        raise http.client.HTTPException(f"it ends {response.length} bytes early")
    return Page(url, response.status, headers, bytes(body))


class _cut_off:  # noqa: N801 - used as a with statement's words
    """Shuts the socket at the deadline, whatever trickle still comes through it."""

    def __init__(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        self._socket: socket.socket = connection.sock
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._shut)
        self._timer.daemon = True

    def _shut(self) -> None:
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # closed already

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
