"""Our own check of a signature gives stock ssh-keygen's answer, for every type of key and every kind of tampering."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import sshsig_verify
from harness.errors import VerificationError
from harness.signing import NAMESPACE, Signers, verify_signature
from harness.sshsig import public_key, signature_blob, signature_parts
from harness.sshsig_verify import verify_own_key

PRINCIPAL = "github:1234"
DATA = b'{"some": "bundle"}\n'
KEYS = {
    "ed25519": ("-t", "ed25519"),
    "p256": ("-t", "ecdsa", "-b", "256"),
    "p384": ("-t", "ecdsa", "-b", "384"),
    "p521": ("-t", "ecdsa", "-b", "521"),
    "rsa-2048": ("-t", "rsa", "-b", "2048"),
    "rsa-3072": ("-t", "rsa", "-b", "3072"),
    "rsa-1024": ("-t", "rsa", "-b", "1024"),
}
OURS = sorted(set(KEYS) - {"rsa-1024"})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    for name, how in KEYS.items():
        make(folder / name, *how)
    return {name: folder / name for name in KEYS}


def make(file: Path, *how: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *how, "-N", "", "-C", "test", "-f", str(file)], check=True)


def signed(key: Path, data: bytes = DATA, namespace: str = NAMESPACE, algorithm: str = "sha512") -> bytes:
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace, "-O", f"hashalg={algorithm}"]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def armour(blob: bytes) -> bytes:
    text = base64.b64encode(blob)
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return b"\n".join([b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----", b""])


def answer(check: Callable[[], str]) -> str:
    try:
        return check()
    except VerificationError:
        return "refused"


def both(data: bytes, armoured: bytes) -> tuple[str, str]:
    """What ssh-keygen says, and what we say."""

    def stock() -> str:
        return verify_signature(data, armoured, Signers.of_keys([public_key(armoured)]), PRINCIPAL).key_fingerprint

    return answer(stock), answer(lambda: verify_own_key(data, armoured, PRINCIPAL))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_good_signature_names_its_key(keys: dict[str, Path], name: str, algorithm: str) -> None:
    stock, own = both(DATA, signed(keys[name], algorithm=algorithm))
    assert own == stock
    assert own.startswith("SHA256:")


@pytest.mark.parametrize("name", OURS)
def test_a_yes_needs_no_ssh_keygen(keys: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    armoured = signed(keys[name])
    monkeypatch.setenv("PATH", "/nowhere")
    assert verify_own_key(DATA, armoured, PRINCIPAL).startswith("SHA256:")


@pytest.mark.parametrize("name", sorted(KEYS))
def test_what_is_tampered_with_is_refused_as_ssh_keygen_refuses_it(keys: dict[str, Path], name: str) -> None:
    good = signed(keys[name])
    blob = signature_blob(good)
    last = bytes([*blob[:-1], blob[-1] ^ 1])
    cases = {
        "data": (DATA + b" ", good),
        "signature": (DATA, armour(last)),
        "namespace": (DATA, signed(keys[name], namespace="file")),
        "trailing": (DATA, armour(blob + b"\0\0\0\0")),
        "other data's": (DATA, signed(keys[name], data=b"other")),
        "hash": (DATA, armour(blob.replace(b"sha512", b"sha256", 1))),
    }
    for case, (data, armoured) in cases.items():
        assert both(data, armoured) == ("refused", "refused"), case


@pytest.mark.parametrize("name", OURS)
def test_no_byte_of_the_signature_changes_unnoticed(
    keys: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte flipped: this module alone, without asking ssh-keygen, never says yes."""

    def refuse(*_: object) -> None:
        raise VerificationError("signature", "asked ssh-keygen")

    blob, theirs = signature_blob(signed(keys[name])), signature_parts(signed(keys[name])).key
    monkeypatch.setattr(sshsig_verify, "verify_signature", refuse)
    for at in range(len(blob)):
        changed = armour(blob[:at] + bytes([blob[at] ^ 0x01]) + blob[at + 1 :])
        with pytest.raises(VerificationError):
            verify_own_key(DATA, changed, PRINCIPAL)
    assert theirs in blob


def test_another_key_has_another_name(keys: dict[str, Path], tmp_path: Path) -> None:
    make(tmp_path / "other", "-t", "ed25519")
    ours, theirs = signature_blob(signed(keys["ed25519"])), signature_parts(signed(tmp_path / "other")).key
    swapped = ours.replace(signature_parts(signed(keys["ed25519"])).key, theirs)
    assert swapped != ours
    assert both(DATA, armour(swapped)) == ("refused", "refused")
    assert both(DATA, signed(tmp_path / "other"))[1] != both(DATA, signed(keys["ed25519"]))[1]
