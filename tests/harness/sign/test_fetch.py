"""Fetching parts: a stranger's address reaches no machine of ours, and brings the stated bytes or nothing."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import fetch as fetching
from harness.errors import VerificationError
from harness.fetch import fetch, public_addresses
from tests.harness.sign.builder import Signed

PART = "tiny-play.tar.zst"


@dataclass
class Server:
    """An https server on loopback with a certificate for `localhost`; paths say what it does."""

    port: int
    context: ssl.SSLContext
    data: bytes
    asked: list[str]

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}/{path}"


@pytest.fixture
def server(tmp_path: Path, signed: Signed) -> Iterator[Server]:
    key, certificate = tmp_path / "tls.key", tmp_path / "tls.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    data, asked = (signed.folder / PART).read_bytes(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            assert "Authorization" not in self.headers and "Cookie" not in self.headers
            what = self.path.lstrip("/").partition("/")[0]
            if what in targets:
                self.send_response(302)
                self.send_header("Location", targets[what])
                self.end_headers()
                return
            body = {"more": data + b"x", "less": data[:-1], "other": bytes(len(data))}.get(what, data)
            self.send_response(404 if what == "missing" else 200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = served.server_address[1]
    targets = {
        "hop": f"https://localhost:{port}/good",
        "round": f"https://localhost:{port}/round",
        "plain": f"http://localhost:{port}/good",
        "inside": f"https://127.0.0.1:{port}/good",
        "file": "file:///etc/passwd",
        "metadata": "https://169.254.169.254/latest/meta-data/",
    }
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate, key)
    served.socket = trust.wrap_socket(served.socket, server_side=True)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield Server(port, ssl.create_default_context(cafile=str(certificate)), data, asked)
    served.shutdown()
    served.server_close()


@pytest.fixture
def loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the name `localhost`: the rest of the rule stays as it is."""

    def addresses(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "localhost" else public_addresses(host, port)

    monkeypatch.setattr(fetching, "public_addresses", addresses)


def away(signed: Signed, url: str, name: str = PART) -> Path:
    """The bundle with its play part at `url`, and without the file."""

    def change(tree: dict[str, object]) -> None:
        for part in tree["payload"]:  # type: ignore[attr-defined]
            if part["name"] == PART:
                part |= {"location": url, "name": name}

    signed.rewrite(change)
    (signed.folder / PART).unlink()
    return signed.folder


@pytest.mark.usefixtures("loopback_is_public")
@pytest.mark.parametrize("path", ["good", "hop"])
def test_a_part_comes_beside_its_bundle_and_is_fetched_once(signed: Signed, server: Server, path: str) -> None:
    folder = away(signed, server.url(path))
    assert fetch(folder, server.context) == (PART,)
    assert hashlib.sha256((folder / PART).read_bytes()).digest() == hashlib.sha256(server.data).digest()
    asked = len(server.asked)
    assert fetch(folder, server.context) == () and len(server.asked) == asked


@pytest.mark.usefixtures("loopback_is_public")
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("more", "sends more than"),
        ("less", "other bytes"),
        ("other", "other bytes"),
        ("missing", "answers 404"),
        ("round", "more than 5 redirects"),
        ("plain", "not a plain https address"),
        ("file", "not a plain https address"),
        ("inside", "no public address"),
        ("metadata", "no public address"),
    ],
)
def test_anything_else_leaves_nothing(signed: Signed, server: Server, path: str, reason: str) -> None:
    folder = away(signed, server.url(path))
    before = sorted(folder.parent.iterdir())
    with pytest.raises(VerificationError, match=reason):
        fetch(folder, server.context)
    assert not (folder / PART).exists() and sorted(folder.parent.iterdir()) == before


def test_loopback_is_refused_before_a_byte_is_sent(signed: Signed, server: Server) -> None:
    with pytest.raises(VerificationError, match="no public address"):
        fetch(away(signed, server.url("good")), server.context)
    assert server.asked == []


PRIVATE = (
    *("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fd00::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "224.0.0.1", "2130706433", "0x7f.1"),
)


@pytest.mark.parametrize("host", PRIVATE)
def test_no_address_of_a_private_network_is_public(host: str) -> None:
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        pytest.skip("this machine cannot even parse it")
    with pytest.raises(VerificationError, match="no public address"):
        public_addresses(host, 443)


@pytest.mark.usefixtures("loopback_is_public")
def test_a_part_has_a_parts_name(signed: Signed, server: Server) -> None:
    folder = away(signed, server.url("good"), name="tiny-entry.sh")
    with pytest.raises(VerificationError, match="no name of a payload part"):
        fetch(folder, server.context)
    assert server.asked == []


@pytest.mark.usefixtures("loopback_is_public")
def test_a_certificate_that_nobody_vouches_for_is_refused(signed: Signed, server: Server) -> None:
    with pytest.raises(VerificationError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(away(signed, server.url("good")))


def test_a_link_in_the_place_of_a_part_is_not_replaced(signed: Signed, tmp_path: Path, server: Server) -> None:
    folder = away(signed, server.url("good"))
    (folder / PART).symlink_to(tmp_path / "nowhere")
    assert fetch(folder, server.context) == ()
    shutil.rmtree(folder)
