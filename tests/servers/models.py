"""A language model's server on loopback: OpenAI's chat completions and Responses, Anthropic's messages, by script.

    with model_server([tool("bash", command="ls"), rate_limited(0.1), Say("done")]) as server:
        litellm.completion("openai/gpt-4o", api_base=server.openai, api_key="x", messages=...)
    server.asked        every request, in order: protocol, body, headers, the answer it got
    server.bill         one Billed for each answer that a provider would charge for, a cut one included
    server.cost_usd(price)  the bill in money
    server.embeddings   the texts of /v1/embeddings, which the script is not asked about

The script is a list (each request takes the next answer; the last one for ever) or a function of the Asked. Streams
when the request says so (Responses never). `context_tokens` makes a longer request fail as the real ones do;
`cache=True` counts the longest prefix shared with an earlier request as cached. Of a request it judges the signatures
of Anthropic's thinking alone: what else a provider would refuse, the script must refuse. Run as a program
(`python -m tests.servers.models`) it prints its address and answers "ok" for ever.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from typing import Any

from harness.schema.episode import Usage
from harness.schema.prices import Price
from tests.servers.answers import Answer, Cut, Protocol, Refuse, Say, too_long
from tests.servers.formats import events, thinking_fault, whole

PATHS: dict[str, Protocol] = {
    "/v1/chat/completions": "openai",
    "/chat/completions": "openai",
    "/v1/messages": "anthropic",
    "/v1/responses": "responses",
}


@dataclass(frozen=True)
class Asked:
    """One request. `number` from 0; `answer` None while the script decides."""

    number: int
    protocol: Protocol
    body: dict[str, Any]
    headers: dict[str, str]
    answer: Answer | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages", []))

    @property
    def last(self) -> str:
        """The text of the last message."""
        content = self.messages[-1].get("content") if self.messages else ""
        return content if isinstance(content, str) else json.dumps(content)


@dataclass(frozen=True)
class Billed:
    """What a provider charges for one request: `usage` counts cached and written tokens within the input."""

    number: int
    model: str
    usage: Usage


Script = Callable[[Asked], Answer] | Sequence[Answer]


@dataclass
class ModelServer:
    """The server's memory. Give `openai` or `anthropic` as the client's api_base."""

    script: Script
    context_tokens: int | None = None
    cache: bool = False
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    bill: list[Billed] = field(default_factory=list)
    embeddings: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _prompts: list[bytes] = field(default_factory=list)

    @property
    def openai(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> str:
        return self.url

    def cost_usd(self, price: Price) -> float:
        return sum(price.cost_usd(billed.usage) for billed in self.bill)

    def decide(self, protocol: Protocol, body: dict[str, Any], headers: dict[str, str]) -> tuple[Asked, Usage]:
        """The answer to a request, noted and billed; one request at a time."""
        with self._lock:
            asked = Asked(len(self.asked), protocol, body, headers)
            prompt = json.dumps([body.get("system"), body.get("tools"), body.get("messages"), *_items(body)]).encode()
            answer = self._answer(asked, tokens(prompt))
            asked = Asked(asked.number, protocol, body, headers, answer)
            self.asked.append(asked)
            usage = self._usage(answer, prompt)
            if isinstance(answer, Say) or (isinstance(answer, Cut) and answer.when == "middle"):
                self._prompts.append(prompt)
                self.bill.append(Billed(asked.number, str(body.get("model")), usage))
            return asked, usage

    def embedded(self, body: dict[str, Any]) -> dict[str, Any]:
        """OpenAI's /v1/embeddings for one text: how often it has each letter from a to h. Billed, never refused."""
        with self._lock:
            text = body["input"][0]
            usage = Usage(input_tokens=tokens(text.encode()))
            self.embeddings.append(text)
            self.bill.append(Billed(-1, str(body.get("model")), usage))
            vector = {
                "object": "embedding",
                "index": 0,
                "embedding": [float(text.count(letter)) for letter in "abcdefgh"],
            }
            counts = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}
            return {"object": "list", "data": [vector], "model": body.get("model"), "usage": counts}

    def _answer(self, asked: Asked, prompt_tokens: int) -> Answer:
        if self.context_tokens is not None and prompt_tokens > self.context_tokens:
            return too_long(asked.protocol, self.context_tokens, prompt_tokens)
        if asked.protocol == "anthropic" and (refused := thinking_fault(asked.body)):
            return refused
        if callable(self.script):
            return self.script(asked)
        return self.script[min(asked.number, len(self.script) - 1)]

    def _usage(self, answer: Answer, prompt: bytes) -> Usage:
        say = answer.say if isinstance(answer, Cut) else answer
        if isinstance(say, Refuse):
            return Usage()
        cached = say.cached_tokens
        if cached is None:
            cached = max((shared(prompt, earlier) // 4 for earlier in self._prompts), default=0) if self.cache else 0
        spoken = say.text + say.reasoning + say.redacted + "".join(call.name + call.text for call in say.calls)
        return Usage(
            input_tokens=tokens(prompt),
            cached_tokens=min(cached, tokens(prompt)),
            cache_write_tokens=say.cache_write_tokens,
            output_tokens=say.output_tokens
            if say.output_tokens is not None
            else tokens(spoken.encode("utf-8", "surrogatepass")),
            reasoning_tokens=say.reasoning_tokens,
        )


def _items(body: dict[str, Any]) -> list[Any]:
    """What a request to Responses says."""
    return [body.get("instructions"), body["input"]] if "input" in body else []


def tokens(text: bytes) -> int:
    """Four bytes are a token, and a rest counts whole."""
    return -(-len(text) // 4)


def shared(one: bytes, other: bytes) -> int:
    """Length of the common prefix."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_of: ModelServer

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]}, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/embeddings":
            self._json(200, self.server_of.embedded(body), {})
            return
        protocol = PATHS.get(self.path.partition("?")[0])
        if protocol is None:
            self._json(404, {"error": {"message": f"no {self.path} here", "type": "invalid_request_error"}}, {})
            return
        asked, usage = self.server_of.decide(protocol, body, dict(self.headers))
        answer = asked.answer
        if isinstance(answer, Refuse):
            self._json(answer.status, answer.body(protocol), dict(answer.headers))
        elif isinstance(answer, Say):
            time.sleep(answer.delay_s)
            self._say(asked, answer, usage)
        elif isinstance(answer, Cut):
            if answer.when == "middle":
                self._say(asked, answer.say, usage, whole_answer=False)
            self.close_connection = True

    def _say(self, asked: Asked, say: Say, usage: Usage, *, whole_answer: bool = True) -> None:
        model = str(asked.body.get("model"))
        if not asked.body.get("stream"):
            data = json.dumps(whole(asked.protocol, asked.number, model, say, usage)).encode()
            self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(data))})
            self.wfile.write(data if whole_answer else data[: len(data) // 2])
            return
        self._head(200, {"Content-Type": "text/event-stream", "Connection": "close"})
        wants_usage = bool((asked.body.get("stream_options") or {}).get("include_usage"))
        lines = events(asked.protocol, asked.number, model, say, usage, wants_usage=wants_usage)
        for line in lines if whole_answer else lines[: len(lines) // 2]:
            self.wfile.write(line)
            self.wfile.flush()
        self.close_connection = True

    def _json(self, status: int, document: dict[str, Any], headers: dict[str, str]) -> None:
        data = json.dumps(document).encode()
        self._head(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers})
        self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the play."""


@contextmanager
def model_server(
    script: Script, *, context_tokens: int | None = None, cache: bool = False, port: int = 0
) -> Iterator[ModelServer]:
    """A running server; gone at the end of the block."""
    memory = ModelServer(script, context_tokens, cache)
    handler = type("Handler", (_Handler,), {"server_of": memory})
    server = _Threads(("127.0.0.1", port), handler)
    memory.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield memory
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with model_server([Say("ok")]) as running:
        print(running.url, flush=True)
        threading.Event().wait()
