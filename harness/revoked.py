"""Revoked keys: a list in the form that OpenSSH reads itself (`ssh-keygen -Y verify -r`), one public key a line.

Takes the file, gives the keys. Refuses every line that OpenSSH would not read, as OpenSSH does: a list that is damaged
must not let a key pass. Knows no dates: from when a key counts no more is a line of the ledger.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from harness.errors import VerificationError

REVOKED = "revoked"
"""Name of the board's own list, beside the entries."""
MAX_BYTES = 1 << 20
_KRL = b"SSHKRL\n\0"


def revoked_beside(bundle_folder: Path) -> Path | None:
    """The board's list, when the folder lies among the board's entries."""
    file = bundle_folder.resolve().parent / REVOKED
    return file if file.is_file() or file.is_symlink() else None


def read_revoked(file: Path | None) -> frozenset[str]:
    """Every key as `<type> <base64>`; none without a file. Raises VerificationError("revoked", ...)."""
    if file is None or not (file.exists() or file.is_symlink()):
        return frozenset()
    if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_BYTES:
        raise VerificationError("revoked", f"{file} is no plain file of at most {MAX_BYTES} bytes")
    data = file.read_bytes()
    if data.startswith(_KRL):
        raise VerificationError("revoked", f"{file} is a binary KRL; only ssh-keygen reads that. List the keys as text")
    return frozenset(key for number, line in enumerate(data.splitlines(), start=1) for key in _key(line, number))


def fingerprint(public_key: str) -> str:
    """`SHA256:...` of `<type> <base64>`, as ssh-keygen prints it."""
    blob = base64.b64decode(public_key.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _key(line: bytes, number: int) -> list[str]:
    words = line.split()
    if not words or words[0].startswith(b"#"):
        return []
    try:
        blob = base64.b64decode(words[1], validate=True)
        name = blob[4 : 4 + int.from_bytes(blob[:4], "big")]
    except (IndexError, binascii.Error):
        blob = name = b""
    if not name or name != words[0]:
        raise VerificationError("revoked", f"line {number} of the list of revoked keys is no public key")
    return [b" ".join(words[:2]).decode("ascii")]
