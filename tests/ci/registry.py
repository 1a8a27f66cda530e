"""A container registry on loopback, as far as `docker push` needs one (OCI distribution), and an advisory service.

Takes nothing, keeps blobs and manifests in memory under their digests. Refuses a blob whose digest does not fit, and a
manifest that names a blob which is not there.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Registry:
    def __init__(self) -> None:
        self.port = 0
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.advisories: dict[str, str] = {}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _answer(self, status: int, data: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def handle_one(self) -> None:
            parts, data = urlsplit(self.path), self._body()
            if parts.path == "/v1/query":
                return self._advise(json.loads(data))
            if parts.path == "/v2/":
                return self._answer(200)
            if found := re.fullmatch(r"/v2/(.+)/blobs/uploads/(\w*)", parts.path):
                return self._upload(found[1], found[2], parse_qs(parts.query), data)
            if found := re.fullmatch(r"/v2/.+/blobs/(sha256:\w+)", parts.path):
                blob = registry.blobs.get(found[1])
                return self._answer(404) if blob is None else self._answer(200, blob)
            if found := re.fullmatch(r"/v2/(.+)/manifests/(.+)", parts.path):
                return self._manifest(f"{found[1]}:{found[2]}", data)
            return self._answer(404)

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = handle_one  # noqa: N815

        def _upload(self, name: str, upload: str, query: dict[str, list[str]], data: bytes) -> None:
            upload = upload or f"u{len(registry.uploads)}"
            registry.uploads[upload] = registry.uploads.get(upload, b"") + data
            if self.command == "PUT":
                whole = registry.uploads[upload]
                if query["digest"] != [_digest(whole)]:
                    return self._answer(400)
                registry.blobs[_digest(whole)] = whole
                return self._answer(201, Docker_Content_Digest=_digest(whole))
            end = max(len(registry.uploads[upload]) - 1, 0)
            place = f"http://127.0.0.1:{registry.port}/v2/{name}/blobs/uploads/{upload}"
            return self._answer(202, Location=place, Docker_Upload_UUID=upload, Range=f"0-{end}")

        def _manifest(self, name: str, data: bytes) -> None:
            if self.command != "PUT":
                return self._answer(404)
            tree = json.loads(data)
            if any(part["digest"] not in registry.blobs for part in [tree["config"], *tree["layers"]]):
                return self._answer(400)
            registry.manifests[name] = data
            return self._answer(201, Docker_Content_Digest=_digest(data))

        def _advise(self, query: dict[str, dict[str, str]]) -> None:
            """OSV's answer about one package."""
            name = query["package"]["name"]
            vulns = []
            if known := registry.advisories.get(name):
                event = [{"introduced": "0"}, {"fixed": "999"}]
                package = {"name": name, "ecosystem": "PyPI"}
                affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": event}]}]
                vulns = [{"id": known, "summary": "a hole", "details": "a hole", "affected": affected, "aliases": []}]
            self._answer(200, json.dumps({"vulns": vulns}).encode(), Content_Type="application/json")

        def log_message(self, *words: object) -> None:
            pass

    return Requests


@contextmanager
def serving() -> Iterator[Registry]:
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    registry.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
