"""The armoured OpenSSH signature as a document: strict text form, the parts inside it.

Takes the bytes of a .sig file, gives the key that made it and what else it holds. Refuses every text that is not the
one way to write its blob, so that no byte of the file can change unnoticed. Checks no cryptography: that is for
harness.signing and harness.sshsig_verify. Format: PROTOCOL.sshsig of OpenSSH.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from harness.errors import VerificationError

MAX_BYTES = 64 * 1024
MAGIC = b"SSHSIG"
_ARMOUR = re.compile(rb"-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END SSH SIGNATURE-----\n")


def signature_blob(armoured: bytes) -> bytes:
    """The binary signature. Raises VerificationError unless the text is exactly its canonical armour."""
    found = _ARMOUR.fullmatch(armoured) if len(armoured) <= MAX_BYTES else None
    if found is None:
        raise VerificationError(
            "signature", "the .sig file is not an armoured OpenSSH signature; sign the bundle again"
        )
    lines = found[1].split(b"\n")[:-1]
    text = b"".join(lines)
    even = all(len(line) == len(lines[0]) for line in lines[:-1]) and len(lines[-1]) <= len(lines[0])
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise VerificationError("signature", f"the .sig file is damaged: {error}") from None
    if not even or base64.b64encode(blob) != text:
        raise VerificationError(
            "signature", "the .sig file is damaged: its text is not the canonical armour of its bytes"
        )
    return blob


@dataclass(frozen=True)
class Parts:
    """What a signature holds: the key's blob, what was signed for, by which hash, and the signature's own blob."""

    key: bytes
    namespace: bytes
    reserved: bytes
    hash_algorithm: bytes
    signature: bytes


def signature_parts(armoured: bytes) -> Parts:
    """The parts of a version 1 signature with nothing after them. Raises VerificationError."""
    blob = _of_version_1(armoured)
    parts, at = [], 10
    for _ in range(5):
        part, at = read_string(blob, at)
        parts.append(part)
    if at != len(blob):
        raise VerificationError("signature", "the .sig file goes on after its signature")
    return Parts(*parts)


def public_key(armoured: bytes) -> str:
    """`<type> <base64>` of the key that made the signature, as GitHub publishes it."""
    key, _ = read_string(_of_version_1(armoured), 10)
    kind, _ = read_string(key, 0)
    return f"{kind.decode('ascii', 'replace')} {base64.b64encode(key).decode()}"


def _of_version_1(armoured: bytes) -> bytes:
    blob = signature_blob(armoured)
    if blob[:6] != MAGIC or blob[6:10] != (1).to_bytes(4, "big"):
        raise VerificationError("signature", "the .sig file is not an OpenSSH signature of version 1")
    return blob


def read_string(data: bytes, at: int) -> tuple[bytes, int]:
    """One length-prefixed string of RFC 4251 and where the next one begins. Raises VerificationError."""
    size = int.from_bytes(data[at : at + 4], "big")
    end = at + 4 + size
    if len(data) < at + 4 or end > len(data):
        raise VerificationError("signature", "the .sig file is cut short")
    return data[at + 4 : end], end
