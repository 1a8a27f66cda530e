"""A registry on loopback that serves one image as engines ask for it: manifest and blobs by digest, nothing else."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

V2 = "application/vnd.docker"
MANIFEST = f"{V2}.distribution.manifest.v2+json"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Published:
    """An image's blobs by digest, made from what `docker save` gives. `manifest` is its manifest's digest."""

    def __init__(self, saved: bytes) -> None:
        self.blobs: dict[str, bytes] = {}
        with tarfile.open(fileobj=io.BytesIO(saved)) as tar:

            def member(name: str) -> bytes:
                file = tar.extractfile(name)
                assert file
                return file.read()

            [described] = json.loads(member("manifest.json"))
            config = self._blob(f"{V2}.container.image.v1+json", member(described["Config"]))
            layer_type = f"{V2}.image.rootfs.diff.tar.gzip"
            layers = [self._blob(layer_type, gzip.compress(member(name))) for name in described["Layers"]]
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
        self.image_id = config["digest"]
        self.manifest = self._blob(MANIFEST, json.dumps(document).encode())["digest"]

    def _blob(self, media: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        self.blobs[digest] = content
        return {"mediaType": media, "size": len(content), "digest": digest}


@contextmanager
def serving(image: Published) -> Iterator[str]:
    """`127.0.0.1:<port>/official` while the context is open. Engines speak plain HTTP to loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = image.blobs.get(self.path.rpartition("/")[2])
            body = b"{}" if self.path == "/v2/" else found
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", MANIFEST if "/manifests/" in self.path else "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}/official"
    finally:
        server.shutdown()
        server.server_close()
