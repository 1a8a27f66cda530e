"""A server that speaks Google's generateContent, to the fields that litellm reads, and signs its thoughts.

It calls bash twice, then submits, and refuses a call that comes back without the signature it was given, as Gemini 3
does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SIGNATURE = "U0lHTkVE" * 200 + "QQ=="
CALLED = {"functionCall", "function_call"}  # Google reads both spellings; litellm writes the second
USAGE = {"promptTokenCount": 100, "candidatesTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 117}


@contextmanager
def google() -> Iterator[tuple[str, list[Any]]]:
    """Its address, and every request."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            calls = [part for content in body["contents"] for part in content["parts"] if CALLED & set(part)]
            if any(part.get("thoughtSignature") != SIGNATURE for part in calls):
                error = {"code": 400, "message": "Function call is missing a thought_signature", "status": "INVALID"}
                return self.tell(400, {"error": error})
            name, args = ("bash", {"command": "ls"}) if len(calls) < 2 else ("submit", {})
            part = {"functionCall": {"name": name, "args": args}, "thoughtSignature": SIGNATURE}
            content = {"role": "model", "parts": [part]}
            return self.tell(
                200, {"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": USAGE}
            )

        def tell(self, status: int, tree: Any) -> None:
            data = json.dumps(tree).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
