"""Spans on their way to an OpenTelemetry receiver, by OTLP over HTTP, in a thread of its own.

Takes finished spans, gives nothing back. The OTEL_ variables mean what OpenTelemetry says of them. Waits for a receiver
at the end of an episode or run alone, LONGEST_S at most, and only while the last batch arrived: one that is dead, slow
or of another mind costs a run nothing but its spans, which is said once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

from harness import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
LONGEST_S = 2.0
_logger = logging.getLogger("gymboard")


class Sender:
    """Sends spans from a thread of its own. `failed`: by the last that was heard, the receiver takes nothing."""

    def __init__(self, exporter: SpanExporter, resource: Resource) -> None:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._processor = BatchSpanProcessor(cast("SpanExporter", _Heard(exporter, self._hear)))
        self.resource = resource
        self._settled = threading.Event()
        self.failed = self._said = False
        for name in ("opentelemetry.exporter.otlp", "opentelemetry.sdk"):
            logger = logging.getLogger(name)
            logger.addHandler(_Notices(lambda text: self._hear(False, text)))
            logger.propagate = False

    def send(self, span: ReadableSpan) -> None:
        """Into the batch; the oldest spans go when a receiver takes none."""
        self._processor.on_end(span)

    def flush(self) -> None:
        """Give what is there to the receiver; waits LONGEST_S at most, and not at all for one that takes nothing."""
        if self.failed:
            return
        self._settled.clear()
        threading.Thread(target=self._flush, name="gymboard-otel", daemon=True).start()
        if not self._settled.wait(LONGEST_S):
            self._hear(False, f"no answer in {LONGEST_S:g} s")

    def _flush(self) -> None:
        self._processor.force_flush()
        self._settled.set()

    def _hear(self, arrived: bool, text: str = "a batch was refused") -> None:
        self.failed = not arrived
        if self.failed:
            if not self._said:
                _logger.warning("spans do not arrive, the run goes on without them: %s", text)
            self._said = True
            self._settled.set()


class _Heard:
    """An exporter whose every batch is heard of."""

    def __init__(self, exporter: SpanExporter, hear: Callable[[bool], None]) -> None:
        self._exporter, self._hear = exporter, hear

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        result = self._exporter.export(spans)
        self._hear(result.name == "SUCCESS")
        return result

    def shutdown(self) -> None:
        """See SpanExporter."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See SpanExporter."""
        return self._exporter.force_flush(timeout_millis)


class _Notices(logging.Handler):
    """Hears why a batch does not arrive, while it is still tried again; an exporter says so by its log alone."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        self._hear(record.getMessage()[:300])


def wanted() -> bool:
    """Whether the environment asks for spans."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and os.environ.get("OTEL_TRACES_EXPORTER") != "none" and any(map(os.environ.get, ENDPOINTS))


@cache
def open_sender() -> Sender | None:
    """The one of this process; None when the extra is not installed, which is said once."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    except ImportError:
        _logger.warning('%s is set, but spans need pip install "gymboard[otel]"', ENDPOINTS[1])
        return None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "gymboard"}
    resource = Resource.create({**named, SERVICE_VERSION: __version__})
    return Sender(OTLPSpanExporter(), resource)
