"""Gemini's calls carry the signature of a thought, and Gemini 3 refuses them back without it: react brings it back.

The server speaks Google's generateContent, to the fields that litellm reads; it refuses as Google's does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from harness.agents.base import Budget, Observation
from harness.agents.react.agent import ReactAgent
from harness.agents.react.settings import ReactSettings
from harness.llm.base import ModelPlan
from harness.llm.meter import Models
from harness.schema.prices import Price
from tests.harness.agents.talk import briefing

MODEL, SIGNATURE = "gemini/gemini-3-pro-preview", "U0lHTkVE" * 200 + "QQ=="
PRICE = Price(models=(MODEL,), since="2026-01-01", input_usd=2.0, output_usd=12.0, source="test")
USAGE = {"promptTokenCount": 100, "candidatesTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 117}


@contextmanager
def google() -> Iterator[tuple[str, list[Any]]]:
    """Calls bash twice, then submits."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body)
            calls = [part for content in body["contents"] for part in content["parts"] if "functionCall" in part]
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


def test_a_signature_comes_back_with_its_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "x")
    (tmp_path / "episode").mkdir()
    with google() as (url, asked):
        plan = ModelPlan(MODEL, url, price=PRICE, max_output_tokens=500)
        meter = Models(plan, tmp_path, "2026-11-21").open("task/seed-0", tmp_path / "episode", 9.0, lambda: 60.0)
        agent = ReactAgent(ReactSettings(protocol="native"), MODEL, native=True)
        agent.begin(briefing(meter))
        actions = [agent.act(Observation("done", 0, Budget(50, 3000.0, 1.5))) for _ in range(3)]
    assert [action.kind for action in actions] == ["bash", "bash", "submit"] and len(asked) == 3
    assert all(len(action.call_id) < 64 for action in actions), "the record keeps the plain ids"
    assert [call.output_tokens for call in meter.paid()] == [17] * 3, "thoughts are output"
