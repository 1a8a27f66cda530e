"""Signatures: ours and stock OpenSSH's agree both ways, and everything else is refused."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import GymboardError, SchemaError, UsageError, VerificationError
from harness.signing import NAMESPACE, Signers, make_demo_key, sign, verify_signature
from harness.sshsig import public_key
from tests.harness.sign.builder import SUBMITTER, Signed, stock_sign


def stock_verify(signed: Signed, principal: str, allowed: Path) -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", principal, "-n", NAMESPACE]
    command += ["-s", str(signed.folder / "bundle.json.sig")]
    return subprocess.run(command, input=(signed.folder / "bundle.json").read_bytes(), capture_output=True)


def allowed_file(tmp_path: Path, principal: str, key: Path) -> Path:
    file = tmp_path / "allowed_signers"
    file.write_text(f'# who may\n\n{principal} namespaces="{NAMESPACE}" {key.with_suffix(".pub").read_text()}')
    return file


def ours(signed: Signed, signers: Signers, principal: str = SUBMITTER) -> str:
    data = (signed.folder / "bundle.json").read_bytes()
    signature = (signed.folder / "bundle.json.sig").read_bytes()
    return verify_signature(data, signature, signers, principal).key_fingerprint


def test_stock_openssh_accepts_ours(signed: Signed, tmp_path: Path) -> None:
    done = stock_verify(signed, SUBMITTER, allowed_file(tmp_path, SUBMITTER, signed.key))
    assert done.returncode == 0, done
    assert ours(signed, signed.signers) in done.stdout.decode()


def test_we_accept_stock_openssh_s(signed: Signed, tmp_path: Path) -> None:
    stock_sign(signed.folder, signed.key)
    listed = subprocess.run(["ssh-keygen", "-lf", signed.key], capture_output=True, text=True, check=True).stdout
    assert ours(signed, signed.signers) == listed.split()[1]
    assert ours(signed, Signers.read(allowed_file(tmp_path, SUBMITTER, signed.key))) == listed.split()[1]


def test_both_refuse_another_principal_namespace_or_key(signed: Signed, tmp_path: Path) -> None:
    allowed = allowed_file(tmp_path, SUBMITTER, signed.key)
    other = make_demo_key(tmp_path / "other")
    assert stock_verify(signed, "github:99", allowed).returncode != 0
    for signers, principal in [
        (Signers.read(allowed), "github:99"),
        (Signers.read(other.with_suffix(".pub")), SUBMITTER),
        (Signers.read(allowed_file(tmp_path, "github:99", signed.key)), SUBMITTER),
        (Signers(), SUBMITTER),
    ]:
        with pytest.raises(VerificationError, match=f"signature: no listed key of {principal}"):
            ours(signed, signers, principal)
    stock_sign(signed.folder, signed.key, namespace="file")
    with pytest.raises(VerificationError, match="signature"):
        ours(signed, signed.signers)


@pytest.mark.parametrize("kind", [["rsa", "-b", "3072"], ["ecdsa", "-b", "256"], ["ed25519"]])
def test_every_kind_of_key_that_github_takes(signed: Signed, tmp_path: Path, kind: list[str]) -> None:
    key = tmp_path / "mine"
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-f", str(key)], check=True)
    sign(signed.folder, key)
    published = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    assert ours(signed, Signers.of_keys(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJunk", published]))
    assert public_key((signed.folder / "bundle.json.sig").read_bytes()) == published


@pytest.fixture
def agent(signed: Signed) -> Iterator[None]:
    started = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(SSH_\w+)=([^;]+);", started))
    before = dict(os.environ)
    os.environ.update(found)
    try:
        yield
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), 15)
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.usefixtures("agent")
def test_a_pub_file_signs_through_the_agent(signed: Signed, tmp_path: Path) -> None:
    subprocess.run(["ssh-add", "-q", signed.key], check=True)
    pub = tmp_path / "only.pub"
    pub.write_text(signed.key.with_suffix(".pub").read_text())
    (signed.folder / "bundle.json.sig").unlink()
    sign(signed.folder, pub)
    assert ours(signed, signed.signers)
    subprocess.run(["ssh-add", "-q", "-D"], check=True, capture_output=True)
    with pytest.raises(GymboardError, match="ssh-keygen could not sign"):
        sign(signed.folder, pub)


def test_without_ssh_keygen_there_is_no_answer(signed: Signed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (lambda: sign(signed.folder, signed.key), lambda: ours(signed, signed.signers)):
        with pytest.raises(GymboardError, match="openssh-client"):
            call()


def test_a_bundle_that_would_not_verify_is_not_signed(signed: Signed) -> None:
    file = signed.folder / "bundle.json"
    data = file.read_bytes()
    before = (signed.folder / "bundle.json.sig").read_bytes()
    file.write_bytes(data + b"\n")
    with pytest.raises(UsageError, match="canonical"):
        sign(signed.folder, signed.key)
    file.write_bytes(data.replace(b'"profile": "smoke"', b'"profile": "huge"'))
    with pytest.raises(SchemaError, match="profile"):
        sign(signed.folder, signed.key)
    assert (signed.folder / "bundle.json.sig").read_bytes() == before


def test_wrong_words_say_what_to_do(signed: Signed, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gymboard pack"):
        sign(tmp_path, signed.key)
    with pytest.raises(UsageError, match="ssh-agent"):
        sign(signed.folder, tmp_path / "nokey")
    with pytest.raises(GymboardError, match="could not sign"):
        sign(signed.folder, signed.folder / "bundle.json")
    (tmp_path / "empty").write_text("# nobody\n")
    for file in ("empty", "absent"):
        with pytest.raises(UsageError, match=file):
            Signers.read(tmp_path / file)


def test_a_demo_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = make_demo_key(tmp_path / "keys")
    again = key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0
    assert make_demo_key(tmp_path / "keys").read_bytes() == again


def test_a_principal_cannot_write_into_the_allowed_signers_file(signed: Signed) -> None:
    with pytest.raises(VerificationError, match="cannot be a principal"):
        ours(signed, signed.signers, f"github:1 {signed.key.with_suffix('.pub').read_text()}\n*")
