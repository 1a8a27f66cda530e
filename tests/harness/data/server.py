"""A real HTTPS server on this machine that misbehaves by script, and the throw-away authority that vouches for it."""

from __future__ import annotations

import re
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
    """`answers`: path -> what to do; `requests`: (path, Range header) in order."""

    url: str
    opener: OpenerDirector
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    script: Server

    def do_GET(self) -> None:
        self.script.requests.append((self.path, self.headers.get("Range")))
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


def whole(data: bytes) -> Answer:
    """Serves the file and knows Range."""

    def answer(handler: Handler) -> None:
        start = _start(handler)
        code = 206 if start else 200
        extra = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.begin(code, {"Content-Length": str(len(data) - start), **extra})
        handler.wfile.write(data[start:])

    return answer


def broken_after(data: bytes, piece: int) -> Answer:
    """Knows Range, promises everything, and cuts the connection after `piece` bytes, every time."""

    def answer(handler: Handler) -> None:
        start = _start(handler)
        extra = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.begin(206 if start else 200, {"Content-Length": str(len(data) - start), **extra})
        handler.wfile.write(data[start : start + piece])
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


def _start(handler: Handler) -> int:
    asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range") or "")
    return int(asked[1]) if asked else 0


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Listens on localhost with a certificate of an authority made in `folder`, which only the opener trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are expected
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    script = Server(f"https://localhost:{server.server_port}", https_opener(trust))
    server.RequestHandlerClass = type("Scripted", (Handler,), {"script": script})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
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
