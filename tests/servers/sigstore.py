"""A sigstore of our own on loopback: a certificate authority, its log of certificates, a transparency log.

Issues real certificates with real timestamps of inclusion for the claims of whatever token it is shown, and signs real
log entries, each in a log of one. Knows only what sigstore's client asks for.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

FIRST_ISSUER, ISSUER, OWNER = (ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}") for number in (1, 8, 17))
SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
VALID = {"start": "2020-01-01T00:00:00Z"}
Key = ec.EllipticCurvePrivateKey


def token(**claims: str) -> str:
    """An identity token as GitHub Actions would give: nobody checks its signature but Fulcio, and ours does not."""
    now = int(datetime.now(UTC).timestamp())
    return jwt.encode({"aud": "sigstore", "iat": now, "exp": now + 300, **claims}, "x" * 32, algorithm="HS256")


class Sigstore:
    """The three keys, and what they sign."""

    def __init__(self) -> None:
        self.authority, self.certificates, self.entries = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.root = self._root()

    def trust(self, address: str) -> dict[str, Any]:
        """sigstore's client trust config for this instance."""
        kind = "application/vnd.dev.sigstore"
        service = {"url": address, "majorApiVersion": 1, "validFor": VALID, "operator": "test"}
        root = base64.b64encode(self.root.public_bytes(serialization.Encoding.DER)).decode()
        chain = {"certificates": [{"rawBytes": root}]}
        subject = {"organization": "test", "commonName": "test"}
        return {
            "mediaType": f"{kind}.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": f"{kind}.trustedroot+json;version=0.1",
                "tlogs": [_log(address, self.entries)],
                "ctlogs": [_log(address, self.certificates)],
                "certificateAuthorities": [
                    {"subject": subject, "uri": address, "certChain": chain, "validFor": VALID},
                ],
                "timestampAuthorities": [],
            },
            "signingConfig": {
                "mediaType": f"{kind}.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [],
                "rekorTlogUrls": [service],
                "tsaUrls": [],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }

    def certificate(self, request: bytes, claims: dict[str, Any]) -> list[str]:
        """The leaf for a signing request, with the certificate log's timestamp in it, and the root; PEM."""
        key = x509.load_pem_x509_csr(request).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        now = datetime.now(UTC).replace(microsecond=0)
        name = x509.UniformResourceIdentifier(str(claims["sub"]))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=5))
            .not_valid_after(now + timedelta(minutes=10))
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(FIRST_ISSUER, str(claims["iss"]).encode()), critical=False)
            .add_extension(x509.UnrecognizedExtension(ISSUER, _utf8(str(claims["iss"]))), critical=False)
            .add_extension(x509.UnrecognizedExtension(OWNER, _utf8(str(claims["repository_owner_id"]))), critical=False)
        )
        unlogged = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        logged = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, self._logged(unlogged)), critical=False)
        leaf = logged.sign(self.authority, hashes.SHA256())
        return [one.public_bytes(serialization.Encoding.PEM).decode() for one in (leaf, self.root)]

    def entry(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """A log of this one entry, as Rekor answers."""
        body = json.dumps(proposed, sort_keys=True, separators=(",", ":")).encode()
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"test - 1\n1\n{base64.b64encode(root).decode()}\n"
        signed = _id(self.entries)[:4] + self.entries.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        facts = {
            "body": base64.b64encode(body).decode(),
            "integratedTime": int(datetime.now(UTC).timestamp()),
            "logID": _id(self.entries).hex(),
            "logIndex": 0,
        }
        promise = self.entries.sign(
            json.dumps(facts, sort_keys=True, separators=(",", ":")).encode(), ec.ECDSA(hashes.SHA256())
        )
        proof = {"logIndex": 0, "rootHash": root.hex(), "treeSize": 1, "hashes": []}
        checkpoint = f"{note}\n\u2014 test {base64.b64encode(signed).decode()}\n"
        verification = {
            "inclusionProof": {**proof, "checkpoint": checkpoint},
            "signedEntryTimestamp": base64.b64encode(promise).decode(),
        }
        return {"0" * 64: {**facts, "verification": verification}}

    def _root(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = datetime.now(UTC).replace(microsecond=0)
        public = self.authority.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def _logged(self, unlogged: bytes) -> bytes:
        """The list of one signed certificate timestamp, RFC 6962 sections 3.2 and 3.3."""
        milliseconds = int(datetime.now(UTC).timestamp()) * 1000
        tbs = _id(self.authority) + len(unlogged).to_bytes(3, "big") + unlogged
        said = struct.pack("!BBQH", 0, 0, milliseconds, 1) + tbs + struct.pack("!H", 0)
        signature = self.certificates.sign(said, ec.ECDSA(hashes.SHA256()))
        one = bytes([0]) + _id(self.certificates) + struct.pack("!QHBBH", milliseconds, 0, 4, 3, len(signature))
        one += signature
        several = struct.pack("!HH", len(one) + 2, len(one)) + one
        return b"\x04" + _length(several) + several


def _usage(**uses: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    names += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: uses.get(name, False) for name in names})


def _public(key: Key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _id(key: Key) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _log(address: str, key: Key) -> dict[str, Any]:
    raw, name = base64.b64encode(_public(key)).decode(), base64.b64encode(_id(key)).decode()
    public = {"rawBytes": raw, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": VALID}
    return {"baseUrl": address, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": name}}


def _utf8(text: str) -> bytes:
    data = text.encode()
    return b"\x0c" + _length(data) + data


def _length(data: bytes) -> bytes:
    """DER, of at most 255 bytes."""
    return bytes([len(data)]) if len(data) < 128 else bytes([0x81, len(data)])


@contextmanager
def served(sigstore: Sigstore) -> Iterator[str]:
    """Its address while it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = {
                "/api/v2/signingCert": lambda: _issued(sigstore, asked, self.headers["Authorization"]),
                "/api/v1/log/entries": lambda: sigstore.entry(asked),
            }[self.path]()
            data = json.dumps(answer).encode()
            self.send_response(201)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _issued(sigstore: Sigstore, asked: dict[str, str], authorization: str) -> dict[str, Any]:
    claims = jwt.decode(authorization.removeprefix("Bearer "), options={"verify_signature": False})
    chain = sigstore.certificate(base64.b64decode(asked["certificateSigningRequest"]), claims)
    return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}
