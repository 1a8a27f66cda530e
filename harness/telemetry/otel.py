"""Events as OpenTelemetry spans, sent by OTLP over HTTP: run > episode > step > what the step did.

Takes Events, gives spans to a batch that a thread of its own sends. Off unless OTEL_EXPORTER_OTLP_ENDPOINT (or its
TRACES form) is set and the extra `otel` is installed; the other OTEL_ variables mean what OpenTelemetry says. A run's
span is handed to its worker processes by TRACEPARENT (W3C Trace Context), which may be set for a run as well. A model
call is a span of the GenAI conventions (opentelemetry.io/docs/specs/semconv/gen-ai, status: development). Never waits
for a receiver but at the end of an episode or run, LONGEST_S at most, and only while none has failed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from harness import __version__
from harness.telemetry.event import Event, Fact

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import SpanContext

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PARENT = "TRACEPARENT"
LONGEST_S = 2.0
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""litellm's name of a provider -> OpenTelemetry's, where they differ."""
_MODEL_FACTS = {
    "model": "gen_ai.request.model",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "input_tokens": "gen_ai.usage.input_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
_EPISODE_FACTS = {"agent": "gen_ai.agent.name", "agent_version": "gen_ai.agent.version"}
_logger = logging.getLogger("gymboard")


class Spans:
    """The spans of one run or of one life of an episode, as a Tell; `parent` is the span above it, if any."""

    def __init__(self, sender: Sender, scrub: Callable[[str], str]) -> None:
        self._sender, self._scrub = sender, scrub
        self._above = parent_of(os.environ.get(PARENT, ""))
        self.trace = self._above[0] if self._above else secrets.token_hex(16)
        self.span = secrets.token_hex(8)

    @property
    def traceparent(self) -> str:
        """This span, as those below it are told."""
        return f"00-{self.trace}-{self.span}-01"

    def __call__(self, event: Event) -> None:
        """What has a duration becomes a span."""
        if event.duration_s is None:
            return
        root = event.event in ("run", "episode")
        above = (self._above[1] if self._above else None) if root else self._over(event)
        own = self.span if root else self._step(event.step) if event.event == "step" else secrets.token_hex(8)
        self._sender.send(event, self.trace, own, above, {name: self._safe(fact) for name, fact in _facts(event).items()})

    def _over(self, event: Event) -> str:
        return self.span if event.event == "step" or event.step is None else self._step(event.step)

    def _step(self, step: int | None) -> str:
        """The same before the step has ended and after."""
        return hashlib.blake2b(f"{self.span} {step}".encode(), digest_size=8).hexdigest()

    def _safe(self, fact: Fact) -> Fact:
        return self._scrub(fact) if isinstance(fact, str) else fact


def parent_of(text: str) -> tuple[str, str] | None:
    """Trace and span of a traceparent, hexadecimal; None when it is none."""
    match = _TRACEPARENT.fullmatch(text.strip().lower())
    return (match[1], match[2]) if match else None


def _facts(event: Event) -> dict[str, Fact]:
    """The attributes of a span, by name."""
    where = {"gymboard.run": event.run, "gymboard.episode": event.episode, "gymboard.step": event.step}
    named = _MODEL_FACTS if event.event == "model" else _EPISODE_FACTS if event.event in ("run", "episode") else {}
    facts: dict[str, Fact] = {name: fact for name, fact in where.items() if fact not in ("", None)}
    facts |= {named.get(name, f"gymboard.{name}"): fact for name, fact in event.facts.items() if name != "error"}
    if event.event == "model":
        facts |= {"gen_ai.operation.name": _operation(event), "gen_ai.provider.name": _provider(event.facts)}
    if "error" in event.facts:
        facts["error.type"] = event.facts["error"]
    return facts


def _operation(event: Event) -> str:
    return "embeddings" if event.facts.get("finish") == "embedding" else "chat"


def _provider(facts: Mapping[str, Fact]) -> str:
    """By litellm's form provider/model; a model that litellm knows without a provider is OpenAI's or says whose."""
    provider, slash, model = str(facts.get("model", "")).partition("/")
    if not slash:
        provider = "anthropic" if provider.startswith("claude") else "openai"
    return _PROVIDERS.get(provider, provider)


def _name(event: Event) -> str:
    if event.event == "model":
        return f"{_operation(event)} {event.facts.get('model', '')}"
    return " ".join(str(word) for word in (event.event, event.facts.get("what")) if word)


class Sender:
    """Sends spans from a thread of its own. `failed` is set by the first batch that did not arrive."""

    def __init__(self, processor: BatchSpanProcessor, resource: Resource) -> None:
        self._processor, self._resource = processor, resource
        self._settled = threading.Event()
        self.failed = False
        for name in ("opentelemetry.exporter.otlp", "opentelemetry.sdk"):
            logger = logging.getLogger(name)
            logger.addHandler(_Notices(self._fails))
            logger.propagate = False

    def send(
        self, event: Event, trace: str, span: str, above: str | None, attributes: Mapping[str, Fact]
    ) -> None:
        """Into the batch; the oldest spans go when a receiver takes none."""
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanKind, Status, StatusCode

        error = event.facts.get("error")
        detail = attributes.get("gymboard.detail")
        begin = round(event.began_s * 1e6) * 1000
        self._processor.on_end(
            ReadableSpan(
                name=_name(event),
                context=_context(trace, span),
                parent=_context(trace, above) if above else None,
                resource=self._resource,
                attributes={name: fact for name, fact in attributes.items() if fact is not None},
                kind=SpanKind.CLIENT if event.event == "model" else SpanKind.INTERNAL,
                status=Status(StatusCode.ERROR, str(detail or error)) if error else Status(StatusCode.UNSET),
                start_time=begin,
                end_time=begin + round((event.duration_s or 0.0) * 1e9),
                instrumentation_scope=InstrumentationScope("gymboard", __version__),
            )
        )

    def flush(self) -> None:
        """Give what is there to the receiver; waits LONGEST_S at most, and not at all for one that has failed."""
        if self.failed:
            return
        self._settled.clear()
        threading.Thread(target=self._flush, name="gymboard-otel", daemon=True).start()
        self._settled.wait(LONGEST_S)

    def _flush(self) -> None:
        self._processor.force_flush()
        self._settled.set()

    def _fails(self, text: str) -> None:
        if not self.failed:
            _logger.warning("spans do not arrive, the run goes on without them: %s", text)
        self.failed = True
        self._settled.set()


class _Notices(logging.Handler):
    """Hears of a batch that did not arrive; the exporter says so by its log alone."""

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
def sender() -> Sender | None:
    """The one of this process; None when the extra is not installed, which is said once."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _logger.warning('%s is set, but spans need pip install "gymboard[otel]"', ENDPOINTS[1])
        return None
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "gymboard"}
    resource = Resource.create({**named, SERVICE_VERSION: __version__})
    return Sender(BatchSpanProcessor(OTLPSpanExporter()), resource)


def _context(trace: str, span: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
