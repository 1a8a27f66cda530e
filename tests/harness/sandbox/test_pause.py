"""Pausing on a busy machine: a freeze that failed is asked for again, what an engine believes too late is set right,
anything else is an error at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from docker import APIClient
from docker.errors import APIError

from harness.sandbox.docker_process import pause_patiently, resume_patiently

BUSY = "Cannot pause container c: OCI runtime pause failed: unable to freeze: unknown"


@contextmanager
def engine(*answers: str | None) -> Iterator[tuple[APIClient, list[str]]]:
    """An engine that gives these answers in turn, the last one for ever; None: it does what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            body = b"" if answer is None else json.dumps({"message": answer}).encode()
            self.send_response(204 if answer is None else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        client = APIClient(base_url=f"tcp://127.0.0.1:{server.server_port}", version="1.41")
        try:
            yield client, asked
        finally:
            client.close()
            server.shutdown()


def test_a_freeze_that_failed_is_asked_for_again() -> None:
    with engine(BUSY, BUSY, None) as (api, asked):
        pause_patiently(api, "c")
    assert asked == ["/v1.41/containers/c/pause"] * 3


def test_one_that_never_freezes_is_an_error() -> None:
    with engine(BUSY) as (api, asked), pytest.raises(APIError, match="unable to freeze"):
        pause_patiently(api, "c", patience_s=0.1)
    assert len(asked) > 1


def test_any_other_reason_is_an_error_at_once() -> None:
    with engine("Container c is not running") as (api, asked), pytest.raises(APIError, match="not running"):
        pause_patiently(api, "c")
    assert len(asked) == 1


def test_what_is_said_to_be_paused_is_resumed_and_paused() -> None:
    with engine("Container c is already paused", None) as (api, asked):
        pause_patiently(api, "c")
    assert asked == [f"/v1.41/containers/c/{what}" for what in ("pause", "unpause", "pause")]


def test_what_is_said_to_be_paused_and_runs_is_asked_for_until_it_is_granted() -> None:
    believed = "Container c is already paused"
    with engine(believed, "container not paused", believed, "container not paused", None) as (api, asked):
        pause_patiently(api, "c")
    assert [path.rsplit("/", 1)[1] for path in asked] == ["pause", "unpause", "pause", "unpause", "pause"]


def test_a_pause_that_the_engine_has_not_heard_of_is_resumed_later() -> None:
    with engine("Container c is not paused", "Container c is not paused", None) as (api, asked):
        resume_patiently(api, "c")
    assert asked == ["/v1.41/containers/c/unpause"] * 3
    with engine("Container c is not paused") as (api, _), pytest.raises(APIError, match="is not paused"):
        resume_patiently(api, "c", patience_s=0.1)
