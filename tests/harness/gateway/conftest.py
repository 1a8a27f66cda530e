"""A gateway as a program finds it, in front of the true meter and a scripted provider on loopback."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.gateway.door import Door
from harness.gateway.server import Gateway
from harness.llm import meter
from harness.llm.base import ModelPlan
from harness.llm.meter import Meter, Models
from harness.schema.prices import Price
from tests.servers.models import ModelServer, Script, model_server

MODEL, KEY = "openai/scripted", "gymboard-0123"
CLAUDE, SEALING = "anthropic/claude-sonnet-4-20250514", "openai/responses/scripted"
DEMANDING = "deepseek/scripted"
PRICE = Price(
    models=(MODEL, CLAUDE, SEALING, DEMANDING),
    since="2026-01-01",
    input_usd=3.0,
    cached_usd=0.3,
    output_usd=15.0,
    source="test",
)


@dataclass
class Set:
    """Everything of one episode's gateway."""

    door: Door
    gateway: Gateway
    meter: Meter
    server: ModelServer
    socket: Path

    def raw_socket(self, limit_s: float = 60) -> socket.socket:
        """Connected to the door."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(limit_s)
        connection.connect(str(self.socket))
        return connection

    def raw(self, data: bytes, *, end: bool = False, limit_s: float = 60) -> bytes:
        """Say these bytes, and hear all that comes."""
        with self.raw_socket(limit_s) as connection:
            try:
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: connection.recv(65536), b""))
            except (BrokenPipeError, ConnectionResetError):
                return b""

    def post(self, body: Any, path: str = "/v1/chat/completions", **headers: str) -> tuple[int, Any]:
        """Status and document of one request."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Host": "x", "Authorization": f"Bearer {KEY}", "Content-Length": str(len(data))} | headers
        head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in given.items())
        answer = self.raw(head.encode() + b"\r\n" + data)
        head_bytes, _, document = answer.partition(b"\r\n\r\n")
        return int(head_bytes.split()[1]), json.loads(document)


Open = Callable[..., Set]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """`opened(script, limit=4.0, name=MODEL)`."""
    monkeypatch.setattr(meter, "LONGEST_WAIT_S", 0.01)
    monkeypatch.setitem(os.environ, "LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with ExitStack() as stack:

        def make(script: Script, limit: float = 4.0, name: str = MODEL, **more: Any) -> Set:
            server = stack.enter_context(model_server(script))
            base = server.anthropic if name == CLAUDE else server.openai
            plan = ModelPlan(name, base, price=PRICE, max_output_tokens=100, **more)
            folder = tmp_path / "episode"
            folder.mkdir(exist_ok=True)
            model = Models(plan, tmp_path, "2026-11-21").open("task/seed-0", folder, limit, lambda: 60.0)
            gateway = Gateway(model, KEY)
            door = stack.enter_context(Door(tmp_path / "model.sock", gateway))
            return Set(door, gateway, model, server, tmp_path / "model.sock")

        yield make
