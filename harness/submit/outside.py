"""Outside: where a payload's address may lead. Takes addresses, refuses those that the robots would not follow.

The robots fetch over https and from public addresses only, redirects included; what the submitter's own machine could
reach besides (her loopback, her network) would pass here and fail there. The GitHub server that she named is let
through wherever it stands. Tells nobody who asks: no token, no .netrc.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import requests

from harness.addresses import is_public
from harness.errors import SubmitError
from harness.schema.bundle import PayloadPart
from harness.submit.server import Server


class Inside(requests.exceptions.InvalidURL):
    """An address that leads to a private host."""


class Outside(requests.Session):
    """Follows https only, and only to public addresses."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.auth = lambda request: request
        self._server = server

    def send(self, request: requests.PreparedRequest, **how: object) -> requests.Response:
        """Raises Inside, or InvalidSchema, before anything is sent."""
        url = request.url or ""
        if urlsplit(url).scheme != "https":
            raise requests.exceptions.InvalidSchema(f"{url} is not https")
        if private := _private(url, self._server):
            raise Inside(private)
        return super().send(request, **how)  # type: ignore[arg-type]


def must_lead_outside(parts: Sequence[PayloadPart], server: Server) -> None:
    """Look every address up; asks none of them. Raises SubmitError with all that lead to a private host."""
    found = {name: why for part in parts if (why := _private(name := part.location or "", server))}
    if found:
        raise SubmitError(
            f"{'; '.join(found.values())}; the robots fetch from public addresses only: upload the parts to one, pack "
            "again with --location, sign, submit"
        )


def _private(url: str, server: Server) -> str | None:
    """What is private about an address. A name that a proxy looks up is not looked up here, and one that nobody knows
    is found out by asking.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.netloc.lower() in (server.name, *server.hosts):
        return None
    try:
        return None if is_public(host) else f"{url} leads to {host}: not a public address"
    except ValueError:
        if requests.utils.get_environ_proxies(url).get("https"):
            return None
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)]
    except OSError:
        return None
    inside = [address for address in found if not is_public(address)]
    return f"{url} leads to {host}, which is {inside[0]}: not a public address" if inside else None
