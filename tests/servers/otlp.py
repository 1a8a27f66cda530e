"""A receiver of OpenTelemetry traces on loopback: OTLP over HTTP, binary protobuf, decoded as the real ones do.

with otlp_receiver() as receiver:
    OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url ...
    receiver.spans   every span that arrived, with its resource's attributes beside its own

`status` is what it answers; `silent` makes it take the request and never answer.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Got:
    """One span. Ids in hexadecimal; `parent` empty for a root; `status` 2 is an error."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    status: int
    message: str
    begin_ns: int
    end_ns: int
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Receiver:
    """What arrived."""

    url: str = ""
    status: int = 200
    silent: bool = False
    spans: list[Got] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def named(self, name: str) -> list[Got]:
        return [span for span in self.spans if span.name == name]

    def below(self, above: Got) -> list[Got]:
        return [span for span in self.spans if span.parent == above.id]

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for group in request.resource_spans:
            resource = {one.key: _value(one.value) for one in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [_got(span, resource) for span in scope.spans]


def _got(span: Any, resource: dict[str, Any]) -> Got:
    return Got(
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        span.status.code,
        span.status.message,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        {one.key: _value(one.value) for one in span.attributes},
        resource,
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def otlp_receiver(status: int = 200, *, silent: bool = False) -> Iterator[Receiver]:
    receiver = Receiver(status=status, silent=silent)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.silent:
                receiver.closing.wait()
                return
            assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
            if receiver.status == 200:
                receiver.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.closing.set()
            server.shutdown()
            thread.join()
