"""Signing: OpenSSH signatures over the exact bytes of bundle.json, made and checked by ssh-keygen -Y.

Takes a bundle folder and a key (a file, or a .pub whose private half is in ssh-agent or on a hardware key), gives
bundle.json.sig; takes bytes, signature and signers, gives who signed with which key. Fails closed: without ssh-keygen,
or with a key that is not listed, there is no answer but an error. Never reads a private key itself, never accepts a
signature on its cryptography alone (no check-novalidate).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import GymboardError, UsageError, VerificationError, in_words
from harness.files import replace_file
from harness.revoked import fingerprint
from harness.schema.bundle import Bundle
from harness.sshsig import public_key, signature_blob

NAMESPACE = "gymboard-bundle@v1"
BUNDLE = "bundle.json"
SIGNATURE = "bundle.json.sig"
VERIFY_TIMEOUT_S = 30

_KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")
_GOOD = re.compile(r'^Good "[^"]+" signature for \S+ with \S+ key (SHA256:\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Signature:
    """A signature that holds: the principal, and the key as SHA256 fingerprint and as `<type> <base64>`."""

    principal: str
    key_fingerprint: str
    public_key: str


@dataclass(frozen=True)
class Signers:
    """Whose signatures count: `lines` of an allowed-signers file, and bare public `keys` good for any principal.

    Bare keys are how GitHub publishes one account's keys: the caller has already chosen the account. `revoked`: a list
    of keys, or a KRL, whose signatures count no more, whoever is listed.
    """

    lines: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    revoked: Path | None = None

    @classmethod
    def read(cls, file: Path, revoked: Path | None = None) -> Signers:
        """An allowed-signers file, a list of public keys (one a line, as in <user>.keys or a .pub), or a mixture."""
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the signers file {file}: {in_words(error, file)}") from None
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        keys = tuple(line for line in lines if line.startswith(_KEY_TYPES))
        if not lines:
            raise UsageError(f"{file} lists no key; put a public key or an allowed-signers line into it")
        return cls(tuple(line for line in lines if line not in keys), keys, revoked)

    @classmethod
    def of_keys(cls, keys: Sequence[str]) -> Signers:
        """Bare public keys."""
        return cls(keys=tuple(keys))

    def allowed(self, principal: str, namespace: str) -> str:
        """The allowed-signers file for one principal, in OpenSSH's format (ssh-keygen(1), ALLOWED SIGNERS)."""
        bare = [f'{principal} namespaces="{namespace}" {" ".join(key.split()[:2])}' for key in self.keys]
        return "\n".join([*self.lines, *bare]) + "\n"


def sign(bundle_folder: Path, key: Path) -> Path:
    """Sign bundle.json; gives the path of bundle.json.sig, replaced as a whole.

    `key` is a private key file, or a .pub whose private half ssh-agent holds. May ask for a passphrase or a touch on
    the terminal. Raises SchemaError on a bundle that would not verify, UsageError without key or bundle, GymboardError
    when ssh-keygen refuses.
    """
    file = bundle_folder / BUNDLE
    if not file.is_file():
        raise UsageError(f"no {BUNDLE} in {bundle_folder}; make one with `gymboard pack`")
    data = file.read_bytes()
    bundle = Bundle.from_json(data, subject=str(file))
    if bundle.canonical() != data:
        raise UsageError(f"{file} is not in canonical form, so its signature would be refused; pack the run again")
    return replace_file(bundle_folder / SIGNATURE, sign_bytes(data, key, bundle.submitter, NAMESPACE))


def sign_bytes(data: bytes, key: Path, principal: str, namespace: str) -> bytes:
    """The armoured signature over `data`, tried before it is given. Raises UsageError, GymboardError."""
    if not key.is_file():
        raise UsageError(f"no key {key}; give a private key, or a .pub whose private half is in ssh-agent")
    done = _ssh_keygen(["-Y", "sign", "-f", str(key), "-n", namespace], data, timeout_s=None)
    if done.returncode != 0:
        raise GymboardError(f"ssh-keygen could not sign with {key}: {_said(done)}")
    verify_signature(data, done.stdout, Signers.of_keys([public_key(done.stdout)]), principal, namespace)
    return done.stdout


def verify_signature(
    data: bytes, signature: bytes, signers: Signers, principal: str, namespace: str = NAMESPACE
) -> Signature:
    """Check that `principal` signed exactly `data` with a key that `signers` lists for it and does not revoke.

    Raises VerificationError("signature", ...) otherwise, or "revoked"; GymboardError when ssh-keygen is missing.
    """
    signature_blob(signature)
    if not re.fullmatch(r"[\w:.@-]+", principal):
        raise VerificationError("signature", f"{principal[:80]!r} cannot be a principal")
    with tempfile.TemporaryDirectory(prefix="gymboard-verify-") as place:
        allowed, sig = Path(place, "allowed"), Path(place, "sig")
        allowed.write_text(signers.allowed(principal, namespace), encoding="utf-8")
        sig.write_bytes(signature)
        command = ["-Y", "verify", "-f", str(allowed), "-I", principal, "-n", namespace, "-s", str(sig)]
        revoked = ["-r", str(signers.revoked)] if signers.revoked else []
        done = _ssh_keygen([*command, *revoked], data, timeout_s=VERIFY_TIMEOUT_S)
        if done.returncode != 0 and revoked and _ssh_keygen(command, data, VERIFY_TIMEOUT_S).returncode == 0:
            key = fingerprint(public_key(signature))
            raise VerificationError("revoked", f"{signers.revoked} revokes the key {key}, or cannot be read")
    good = _GOOD.search(done.stdout.decode("utf-8", "replace"))
    if done.returncode != 0 or good is None:
        raise VerificationError("signature", f"no listed key of {principal} signed these bytes ({_said(done)})")
    return Signature(principal, good[1], public_key(signature))


def make_demo_key(folder: Path) -> Path:
    """An Ed25519 key without passphrase, `demo_ed25519`, for trying things out; the one that is there is kept."""
    key = folder / "demo_ed25519"
    if key.is_file() and key.with_suffix(".pub").is_file():
        return key
    folder.mkdir(parents=True, exist_ok=True)
    key.unlink(missing_ok=True)
    done = _ssh_keygen(["-q", "-t", "ed25519", "-N", "", "-C", "gymboard-demo", "-f", str(key)], b"", timeout_s=60)
    if done.returncode != 0:
        raise GymboardError(f"ssh-keygen could not make a key in {folder}: {_said(done)}")
    return key


def _ssh_keygen(arguments: Sequence[str], data: bytes, timeout_s: float | None) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments], input=data, capture_output=True, timeout=timeout_s, env=environment, check=False
        )
    except FileNotFoundError:
        raise GymboardError(
            "ssh-keygen is not installed, so nothing can be signed or verified; install OpenSSH's client "
            "(Debian and Ubuntu: openssh-client; Fedora: openssh; Alpine: openssh-keygen)"
        ) from None
    except subprocess.TimeoutExpired:
        raise GymboardError(f"ssh-keygen gave no answer within {timeout_s:.0f} s") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What ssh-keygen said, on one line of printable text."""
    text = (done.stderr + done.stdout).decode("utf-8", "replace").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Signing data")]
    return "".join(char if char.isprintable() else "?" for char in "; ".join(lines))[:500] or "it gave no reason"
