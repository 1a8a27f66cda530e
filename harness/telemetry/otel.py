"""Events as OpenTelemetry spans: run > episode > step > what the step did.

Takes Events, gives spans to a Sender. What plays a run's episodes is told the run's span as a traceparent (W3C Trace
Context). A model call is a span of the GenAI conventions
(opentelemetry.io/docs/specs/semconv/gen-ai, status: development) and holds no word that a model was told or said.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import __version__
from harness.telemetry.event import Event, Fact

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    from harness.telemetry.sender import Sender

Attribute = str | int | float | bool | tuple[str, ...]
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


class Spans:
    """The spans of one run or of one life of an episode, as a Tell; `traceparent` names the span above it, if any."""

    def __init__(self, sender: Sender, traceparent: str) -> None:
        self._sender = sender
        self._above = parent_of(traceparent)
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
        self._sender.send(self._span(event, own, above))

    def _span(self, event: Event, own: str, above: str | None) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanKind, Status, StatusCode

        begin = round(event.began_s * 1e6) * 1000
        fault = event.facts.get("error")
        return ReadableSpan(
            name=_name(event),
            context=_context(self.trace, own),
            parent=_context(self.trace, above) if above else None,
            resource=self._sender.resource,
            attributes=_attributes(event),
            kind=SpanKind.CLIENT if event.event == "model" else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR, str(event.facts.get("detail") or fault)) if fault else Status(),
            start_time=begin,
            end_time=begin + round((event.duration_s or 0.0) * 1e9),
            instrumentation_scope=InstrumentationScope("gymboard", __version__),
        )

    def _over(self, event: Event) -> str:
        return self.span if event.event == "step" or event.step is None else self._step(event.step)

    def _step(self, step: int | None) -> str:
        """The same before the step has ended and after."""
        return hashlib.blake2b(f"{self.span} {step}".encode(), digest_size=8).hexdigest()


def parent_of(text: str) -> tuple[str, str] | None:
    """Trace and span of a traceparent, hexadecimal; None when it is none."""
    match = _TRACEPARENT.fullmatch(text.strip().lower())
    return (match[1], match[2]) if match else None


def _attributes(event: Event) -> dict[str, Attribute]:
    """The attributes of a span, by name."""
    where = {"gymboard.run": event.run, "gymboard.episode": event.episode, "gymboard.step": event.step}
    named = _MODEL_FACTS if event.event == "model" else _EPISODE_FACTS if event.event == "episode" else {}
    facts = where | {named.get(name, f"gymboard.{name}"): fact for name, fact in event.facts.items()}
    facts["error.type"] = facts.pop("gymboard.error", None)
    told: dict[str, Attribute] = {name: fact for name, fact in facts.items() if fact is not None and fact != ""}
    if event.event == "model":
        told |= {"gen_ai.operation.name": _operation(event), "gen_ai.provider.name": _provider(event.facts)}
        if finish := told.pop("gymboard.finish", None):
            told["gen_ai.response.finish_reasons"] = (str(finish),)
    return told


def _operation(event: Event) -> str:
    return "embeddings" if event.facts.get("finish") == "embedding" else "chat"


def _provider(facts: Mapping[str, Fact]) -> str:
    """By litellm's form provider/model; a model that litellm knows without a provider is OpenAI's or says whose."""
    provider, slash, _ = str(facts.get("model", "")).partition("/")
    if not slash:
        provider = "anthropic" if provider.startswith("claude") else "openai"
    return _PROVIDERS.get(provider, provider)


def _name(event: Event) -> str:
    if event.event == "model":
        return f"{_operation(event)} {event.facts.get('model', '')}"
    return " ".join(str(word) for word in (event.event, event.facts.get("what")) if word)


def _context(trace: str, span: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
