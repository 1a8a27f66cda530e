"""The metering gateway: OpenAI's two endpoints and Anthropic's for a program, our metered model behind them.

Takes connections off the door, gives answers. A request is built anew from declared fields and paid through the meter,
whole, before one byte of it is sent: what a client drops was counted. Never passes on a header, a key, an address, or
a field that is not declared; never asks for another model than the run's; keeps no conversation.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from harness.errors import ContextOverflow, EpisodeOver, ModelUnavailable, RequestRefused
from harness.gateway import anthropic, openai
from harness.gateway.door import Peer, PeerGone
from harness.gateway.http import Exchange, HttpRefused, Request
from harness.gateway.kept import Kept
from harness.gateway.responses import answer as answered
from harness.gateway.responses.request import responses_request
from harness.gateway.shape import Wanted
from harness.llm.ability import takes_thinking
from harness.llm.base import Message, ToolSchema
from harness.schema.calls import JournalLine, ModelCall

PATIENCE_S = 10.0
WAITING = b": waiting for the model\n\n"


class Metered(Protocol):
    """The part of harness.llm.meter.Meter that is needed here."""

    name: str

    def answer(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSchema] = (),
        *,
        max_output_tokens: int | None,
        params: Mapping[str, Any],
    ) -> JournalLine:
        """As Model.complete, with the call's measure."""
        ...

    def paid(self) -> Sequence[ModelCall]:
        """Every call of the episode."""
        ...

    @property
    def asking(self) -> bool:
        """Whether a call is on its way."""
        ...


@dataclass(frozen=True)
class _Endpoint:
    """One wire format: how a request is read, how each kind of answer is written, and a refusal within a stream."""

    read: Callable[[bytes], tuple[str, Wanted]]
    whole: Callable[[str, JournalLine, Wanted], dict[str, Any]]
    events: Callable[[str, JournalLine, Wanted], Iterator[bytes]]
    error: Callable[[HttpRefused], dict[str, Any]]
    late: Callable[[str, HttpRefused], bytes]


def _error_event(error: Callable[[HttpRefused], dict[str, Any]]) -> Callable[[str, HttpRefused], bytes]:
    return lambda model, refused: f"event: error\ndata: {json.dumps(error(refused))}\n\n".encode()


def _openai_error(refused: HttpRefused) -> dict[str, Any]:
    return openai.error(refused.message, refused.kind, refused.code)


def _anthropic_error(refused: HttpRefused) -> dict[str, Any]:
    return anthropic.error(refused.message, refused.kind)


OPENAI = _Endpoint(
    openai.chat_request,
    lambda model, line, wanted: openai.completion(model, line.reply, line.call),
    lambda model, line, wanted: openai.chunks(model, line.reply, line.call, wanted.usage_in_stream),
    _openai_error,
    _error_event(_openai_error),
)
RESPONSES = _Endpoint(
    responses_request,
    lambda model, line, wanted: answered.response(model, line.reply, line.call, wanted),
    lambda model, line, wanted: answered.events(model, line.reply, line.call, wanted),
    _openai_error,
    lambda model, refused: answered.failed(model, refused.message, refused.code or refused.kind),
)
ANTHROPIC = _Endpoint(
    anthropic.messages_request,
    lambda model, line, wanted: anthropic.message(model, line.reply, line.call, reasoning=wanted.reasoning),
    lambda model, line, wanted: anthropic.events(model, line.reply, line.call, reasoning=wanted.reasoning),
    _anthropic_error,
    _error_event(_anthropic_error),
)
ENDPOINTS = {
    "/v1/chat/completions": OPENAI,
    "/chat/completions": OPENAI,
    "/v1/responses": RESPONSES,
    "/responses": RESPONSES,
    "/v1/messages": ANTHROPIC,
}


def _begun(work: Callable[[], JournalLine]) -> Future[JournalLine]:
    """What comes of `work`, which a thread of its own does."""
    answer: Future[JournalLine] = Future()

    def done() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # whoever looks at the answer raises it
            answer.set_exception(error)

    threading.Thread(target=done, name="gymboard-ask", daemon=True).start()
    return answer


class Gateway:
    """Give it to a Door. `over` is set when a limit, or a model that cannot be had, ends the episode."""

    def __init__(self, model: Metered, key: str) -> None:
        self.over: EpisodeOver | ModelUnavailable | None = None
        self._model, self._key = model, key
        self._kept = Kept()

    def __call__(self, peer: Peer) -> None:
        exchange = Exchange(peer)
        endpoint = OPENAI
        try:
            request = exchange.request()
            endpoint = ENDPOINTS.get(request.path, ANTHROPIC if "anthropic-version" in request.headers else OPENAI)
            self._known(request)
            if request.path in ENDPOINTS:
                self._complete(exchange, request, endpoint)
            else:
                exchange.answer(200, json.dumps(self._models(request)).encode())
        except HttpRefused as refused:
            exchange.answer(refused.status, json.dumps(endpoint.error(refused)).encode())

    def _known(self, request: Request) -> None:
        """Raises HttpRefused unless the request has the episode's key."""
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = request.headers.get("x-api-key") or (bearer if scheme.lower() == "bearer" else "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            text = "send the key that stands in OPENAI_API_KEY and ANTHROPIC_API_KEY"
            raise HttpRefused(401, text, "authentication_error", "invalid_api_key")

    def _models(self, request: Request) -> dict[str, Any]:
        """The one model there is. Raises HttpRefused on every other path."""
        described = {"id": self._model.name, "object": "model", "created": 0, "owned_by": "gymboard", "type": "model"}
        if request.method == "GET" and request.path == "/v1/models":
            return {"object": "list", "data": [described], "has_more": False}
        if request.method == "GET" and request.path == f"/v1/models/{self._model.name}":
            return described
        ways = ", ".join(sorted(ENDPOINTS))
        raise HttpRefused(
            404, f"{request.method} {request.path[:200]}: there is only {ways}, /v1/models", "not_found_error"
        )

    def _complete(self, exchange: Exchange, request: Request, endpoint: _Endpoint) -> None:
        if request.method != "POST":
            raise HttpRefused(405, "POST a request here")
        model, wanted = endpoint.read(request.body)
        if model != self._model.name:
            text = f"there is no model {model[:200]!r} here; this run's model is {self._model.name!r} ($GYMBOARD_MODEL)"
            raise HttpRefused(404, text, "not_found_error", "model_not_found")
        if wanted.stream:
            self._stream(exchange, model, wanted, endpoint)
        else:
            exchange.answer(200, json.dumps(endpoint.whole(model, self._ask(wanted), wanted)).encode())

    def _stream(self, exchange: Exchange, model: str, wanted: Wanted, endpoint: _Endpoint) -> None:
        """The answer as events, after a comment now and then while the model thinks: clients hang up on silence. A
        refusal that comes after the first comment is an event."""
        answer = _begun(lambda: self._ask(wanted))

        def told() -> Iterator[bytes]:
            while not answer.done():
                yield WAITING
                wait([answer], PATIENCE_S)
            try:
                yield from endpoint.events(model, answer.result(), wanted)
            except HttpRefused as refused:
                yield endpoint.late(model, refused)

        try:
            wait([answer], PATIENCE_S)
            if answer.done():
                answer.result()
            exchange.stream(told())
        except PeerGone:
            fault = answer.exception()  # waited for: what a client drops is counted all the same
            if fault is not None and not isinstance(fault, HttpRefused):
                raise fault from None
            raise

    def _ask(self, wanted: Wanted) -> JournalLine:
        """Raises HttpRefused; what ends the episode is kept in `over` for its owner too."""
        if self.over is not None:
            raise HttpRefused(403, f"the episode is over: {self.over}", "permission_error")
        params = dict(wanted.params)
        if "thinking" in params and not takes_thinking(self._model.name):
            del params["thinking"]
        try:
            line = self._model.answer(
                self._kept.restored(wanted.messages),
                wanted.tools,
                max_output_tokens=wanted.max_output_tokens,
                params=params,
            )
        except ContextOverflow as error:
            raise HttpRefused(400, f"prompt is too long: {error}", code="context_length_exceeded") from None
        except RequestRefused as error:
            raise HttpRefused(400, f"the provider refuses this request: {error}") from None
        except (EpisodeOver, ModelUnavailable) as over:
            self.over = self.over or over
            raise HttpRefused(403, f"the episode is over: {over}", "permission_error") from None
        self._kept.note(line.reply)
        return line
