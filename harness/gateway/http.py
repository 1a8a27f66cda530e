"""One HTTP/1.1 request on a connection of the door, and its answer. Takes a Peer, gives a Request.

h11 reads the wire; one request a connection, so nothing can hide behind another. Never looks at a header's meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.gateway.door import Peer, PeerGone

if TYPE_CHECKING:
    import h11

HEAD_CAP_BYTES = 32 << 10
BODY_CAP_BYTES = 8 << 20


class HttpRefused(Exception):
    """An answer of `status` with words for the client; `kind` in the providers' own terms."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> None:
        self.status, self.message, self.kind, self.code = status, message, kind, code
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """`path` without its query; header names in lower case, of several with one name the first."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """The server's side of one request and its answer."""

    def __init__(self, peer: Peer) -> None:
        import h11

        self._peer = peer
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_CAP_BYTES)

    def request(self) -> Request:
        """The request, whole. Raises HttpRefused, PeerGone."""
        import h11

        try:
            return self._read()
        except h11.RemoteProtocolError as error:
            raise HttpRefused(error.error_status_hint, f"this is no HTTP request: {error}") from None

    def answer(self, status: int, body: bytes) -> None:
        """One JSON document. Raises PeerGone."""
        self._head(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        self._body([body])

    def stream(self, events: Iterable[bytes]) -> None:
        """Server-sent events. Raises PeerGone."""
        self._head(200, [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")])
        self._body(events)

    def _read(self) -> Request:
        import h11

        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._wire.next_event()
            if event is h11.NEED_DATA:
                if self._wire.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                self._wire.receive_data(self._peer.receive())
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_CAP_BYTES:
                    raise HttpRefused(413, f"a request may have {BODY_CAP_BYTES} bytes", "request_too_large")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:
                raise PeerGone("it ended before its request did")

    def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
        import h11

        if self._wire.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._send(h11.Response(status_code=status, headers=[*headers, ("Connection", "close")]))
        else:
            raise PeerGone("its request cannot be answered")

    def _body(self, pieces: Iterable[bytes]) -> None:
        import h11

        for piece in pieces:
            self._send(h11.Data(data=piece))
        self._send(h11.EndOfMessage())

    def _send(self, event: h11.Event) -> None:
        if data := self._wire.send(event):
            self._peer.send(data)


def _request(head: h11.Request, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in head.headers:
        headers.setdefault(name.decode("ascii").lower(), value.decode("latin-1"))
    path = head.target.decode("latin-1").partition("?")[0]
    return Request(head.method.decode("ascii"), path, headers, body)
