"""A real server on this machine that misbehaves by script, and the throw-away authority that vouches for it."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import OpenerDirector

from harness.data.download import https_opener

Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """`answers`: path -> what to do; `requests`: (path, Range header) of each GET; `headers`: all of them."""

    url: str
    opener: OpenerDirector
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def forget(self) -> None:
        for kept in (self.answers, self.requests, self.headers):
            kept.clear()


class Handler(BaseHTTPRequestHandler):
    script: Server

    def do_HEAD(self) -> None:
        self.script.answers.get(self.path, status(404))(self)
        self.close_connection = True

    def do_GET(self) -> None:
        self.script.requests.append((self.path, self.headers.get("Range")))
        self.script.headers.append(dict(self.headers))
        self.script.answers.get(self.path, status(404))(self)
        self.close_connection = True

    def log_message(self, *_: object) -> None: ...

    def begin(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def status(code: int, **headers: str) -> Answer:
    return lambda handler: handler.begin(code, {"Content-Length": "0", **headers})


def whole(data: bytes, etag: str = "") -> Answer:
    """Serves the file and knows Range; with an ETag also If-Range."""

    def answer(handler: Handler) -> None:
        begin_from(handler, data, etag)
        handler.wfile.write(data[_start(handler, etag) :])

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Another answer each time; the last one for ever."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def begin_from(handler: Handler, data: bytes, etag: str = "") -> None:
    start = _start(handler, etag)
    extra = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
    extra |= {"ETag": etag} if etag else {}
    handler.begin(206 if start else 200, {"Content-Length": str(len(data) - start), **extra})


def stalls_after(data: bytes, piece: int, gone: threading.Event) -> Answer:
    """Sends `piece` bytes and then nothing until `gone` is set."""

    def answer(handler: Handler) -> None:
        begin_from(handler, data)
        handler.wfile.write(data[_start(handler) :][:piece])
        handler.wfile.flush()
        gone.wait(60)

    return answer


def hub_file(server: Server, path: str, data: bytes, revision: str, cdn: Answer | None = None) -> None:
    """A large file as the hub serves it: the address answers with what it knows and sends on to a second place."""
    digest, elsewhere = hashlib.sha256(data).hexdigest(), server.url.replace("localhost", "127.0.0.1")
    about = {"X-Repo-Commit": revision, "X-Linked-Size": str(len(data)), "X-Linked-ETag": f'"{digest}"'}
    server.answers[path] = status(302, Location=f"{elsewhere}/cdn/{digest}", **about)
    server.answers[f"/cdn/{digest}"] = cdn or whole(data, f'"{digest}"')


def broken_after(data: bytes, piece: int, etag: str = "") -> Answer:
    """Knows Range, promises everything, and cuts the connection after `piece` bytes, every time."""

    def answer(handler: Handler) -> None:
        begin_from(handler, data, etag)
        handler.wfile.write(data[_start(handler, etag) :][:piece])
        handler.wfile.flush()

    return answer


def endless() -> Answer:
    """No length, and bytes for ever."""

    def answer(handler: Handler) -> None:
        handler.begin(200, {})
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            return

    return answer


def _start(handler: Handler, etag: str = "") -> int:
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
    same = handler.headers.get("If-Range") in (None, etag)
    return int(asked[1]) if asked and same else 0


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Listens on localhost with a certificate of an authority made in `folder`, which only the opener trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(folder))
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    with _listening(context) as port:
        yield port(Server("https://localhost", https_opener(trust)))


@contextmanager
def serve_http() -> Iterator[Server]:
    """The same without a certificate, as a hub inside somebody's own network may be."""
    with _listening(None) as port:
        yield port(Server("http://localhost", https_opener(plain_http=True)))


@contextmanager
def _listening(context: ssl.SSLContext | None) -> Iterator[Callable[[Server], Server]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are expected
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)

    def follow(script: Server) -> Server:
        script.url += f":{server.server_port}"
        server.RequestHandlerClass = type("Scripted", (Handler,), {"script": script})
        return script

    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield follow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        "req", "-x509", *new_key, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"
    )
    openssl("req", *new_key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "server.csr", *sign, "-out", "server.pem")
    return folder / "server.pem", folder / "server.key"


@contextmanager
def connect_proxy(to: int) -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that joins every CONNECT to the local port `to`; gives its address and what it was asked for."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("127.0.0.1", to)) as far:
                back = threading.Thread(target=_pour, args=(far, self.connection))
                back.start()
                _pour(self.connection, far)
                back.join()
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return
