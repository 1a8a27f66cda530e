"""OpenSSH signatures checked in this process, for boards of thousands.

Takes data and a .sig file, gives the signing key's fingerprint when the signature holds. A yes follows PROTOCOL.sshsig
with the key types ed25519, ecdsa and rsa of 2048 bits or more; every other answer, and every other type of key, is
left to ssh-keygen, which also gives the reason of a no. Never says yes where ssh-keygen says no.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness.errors import VerificationError
from harness.signing import NAMESPACE, Signers, verify_signature
from harness.sshsig import MAGIC, Parts, public_key, read_string, signature_parts

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16384
_DIGESTS = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_RSA = {b"rsa-sha2-256": hashes.SHA256, b"rsa-sha2-512": hashes.SHA512}
_CURVES = {
    b"nistp256": (ec.SECP256R1, hashes.SHA256),
    b"nistp384": (ec.SECP384R1, hashes.SHA384),
    b"nistp521": (ec.SECP521R1, hashes.SHA512),
}


def verify_own_key(data: bytes, armoured: bytes, principal: str) -> str:
    """The fingerprint `SHA256:...` of the key that made the signature over `data`; whose key it is is not asked.

    Raises VerificationError when it does not hold, GymboardError when ssh-keygen is needed and missing.
    """
    try:
        parts = signature_parts(armoured)
        if _holds(data, parts):
            return "SHA256:" + base64.b64encode(hashlib.sha256(parts.key).digest()).decode().rstrip("=")
    except (VerificationError, InvalidSignature, UnsupportedAlgorithm, ValueError):
        pass
    return verify_signature(data, armoured, Signers.of_keys([public_key(armoured)]), principal).key_fingerprint


def _holds(data: bytes, parts: Parts) -> bool:
    """True, or an error that says why not, or False where this module has no answer."""
    make = _DIGESTS.get(parts.hash_algorithm)
    if make is None or parts.namespace != NAMESPACE.encode() or parts.reserved:
        return False
    strings = (parts.namespace, b"", parts.hash_algorithm, make(data).digest())
    signed = MAGIC + b"".join(len(part).to_bytes(4, "big") + part for part in strings)
    kind, *key = _strings(parts.key)
    algorithm, *signature = _strings(parts.signature)
    if len(signature) != 1:
        return False
    if kind == algorithm == b"ssh-ed25519" and len(key) == 1:
        ed25519.Ed25519PublicKey.from_public_bytes(key[0]).verify(signature[0], signed)
        return True
    if kind == b"ssh-rsa" and algorithm in _RSA and len(key) == 2:
        return _rsa(key[0], key[1], signature[0], signed, _RSA[algorithm]())
    if len(key) == 2 and key[0] in _CURVES and kind == algorithm == b"ecdsa-sha2-" + key[0]:
        return _ecdsa(key[0], key[1], signature[0], signed)
    return False


def _rsa(exponent: bytes, modulus: bytes, signature: bytes, signed: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    n = _positive(modulus)
    if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        return False
    key = rsa.RSAPublicNumbers(_positive(exponent), n).public_key()
    key.verify(signature.rjust((n.bit_length() + 7) // 8, b"\0"), signed, padding.PKCS1v15(), algorithm)
    return True


def _ecdsa(curve: bytes, point: bytes, signature: bytes, signed: bytes) -> bool:
    group, algorithm = _CURVES[curve]
    numbers = _strings(signature)
    if point[:1] != b"\x04" or len(numbers) != 2:
        return False
    key = ec.EllipticCurvePublicKey.from_encoded_point(group(), point)
    key.verify(encode_dss_signature(*map(_positive, numbers)), signed, ec.ECDSA(algorithm()))
    return True


def _strings(blob: bytes) -> list[bytes]:
    """Every string of a blob that is nothing but strings. Raises VerificationError."""
    found, at = [], 0
    while at < len(blob):
        part, at = read_string(blob, at)
        found.append(part)
    return found


def _positive(mpint: bytes) -> int:
    """Raises ValueError on a negative number, as ssh-keygen refuses one."""
    if mpint[:1] >= b"\x80":
        raise ValueError("negative")
    return int.from_bytes(mpint, "big")
