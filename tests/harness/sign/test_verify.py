"""Verifying: any byte that changes anywhere is noticed, and the check that failed is named."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.check import check as check_rules
from harness.errors import VerificationError
from harness.signing import Signers, make_demo_key, sign
from harness.verify import verify
from tests.harness.sign.builder import SUBMITTER, Signed, stock_sign

ROOT = Path(__file__).resolve().parents[3]


def failed_check(signed: Signed) -> str:
    with pytest.raises(VerificationError) as caught:
        verify(signed.folder, signed.signers)
    assert caught.value.exit_code == 1
    assert str(caught.value).isprintable()
    return caught.value.check


def test_an_honest_bundle_verifies(signed: Signed) -> None:
    verified = verify(signed.folder, signed.signers)
    assert verified.bundle == signed.bundle
    assert verified.principal == SUBMITTER
    assert verified.key_fingerprint.startswith("SHA256:")
    assert verified.bundle_sha256 == hashlib.sha256((signed.folder / "bundle.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig", "tiny-play.tar.zst", "tiny-predictions.tar.zst"])
def test_any_flipped_byte_is_noticed(signed: Signed, name: str) -> None:
    file = signed.folder / name
    honest = file.read_bytes()
    expected = "payload digest" if name.endswith(".zst") else "signature"
    step = 97 if name.endswith((".zst", ".json")) else 5
    for at in [*range(0, len(honest), step), len(honest) - 1]:
        for mask in (0x01, 0x20, 0x80):
            file.write_bytes(honest[:at] + bytes([honest[at] ^ mask]) + honest[at + 1 :])
            assert failed_check(signed) == expected, (name, at, mask)
    file.write_bytes(honest)
    verify(signed.folder, signed.signers)


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig", "tiny-play.tar.zst"])
@pytest.mark.parametrize(
    "change", [lambda data: data + b"\n", lambda data: data[:-1], lambda data: b"", lambda d: d * 2]
)
def test_longer_shorter_empty_doubled(signed: Signed, name: str, change: Callable[[bytes], bytes]) -> None:
    file = signed.folder / name
    file.write_bytes(change(file.read_bytes()))
    assert failed_check(signed) == ("payload size" if name.endswith(".zst") else "signature")


@pytest.mark.parametrize("change", [b"\r\n", b"\n\n", b" \n"])
def test_the_signature_file_has_one_form(signed: Signed, change: bytes) -> None:
    file = signed.folder / "bundle.json.sig"
    file.write_bytes(file.read_bytes().replace(b"\n", change, 2))
    assert failed_check(signed) == "signature"


def test_the_bits_that_base64_ignores_and_the_width_of_lines_are_part_of_the_form(signed: Signed) -> None:
    """Other texts of the very same signature: stock OpenSSH takes them, so a byte could change unnoticed."""
    file = signed.folder / "bundle.json.sig"
    first, *lines, last = file.read_text().splitlines()
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    used = lines[-1].rstrip("=")
    assert used != lines[-1], "without padding there are no spare bits"
    spare = used[:-1] + digits[digits.index(used[-1]) ^ 1] + lines[-1][len(used) :]
    text = "".join(lines)
    for body in ([*lines[:-1], spare], [text[:10], text[10:]]):
        assert base64.b64decode("".join(body)) == base64.b64decode(text)
        file.write_text("\n".join([first, *body, last]) + "\n")
        assert failed_check(signed) == "signature"


def test_another_key_is_refused(signed: Signed, tmp_path: Path) -> None:
    sign(signed.folder, make_demo_key(tmp_path / "other"))
    assert failed_check(signed) == "signature"


def test_a_signature_of_another_bundle_is_refused(signed: Signed) -> None:
    """By the same key, principal and namespace: it was made over other bytes."""
    own = (signed.folder / "bundle.json").read_bytes()
    signed.rewrite(lambda tree: tree["entry"].update(id="another-entry"))  # type: ignore[attr-defined]
    (signed.folder / "bundle.json").write_bytes(own)
    assert failed_check(signed) == "signature"


def test_a_listed_key_cannot_sign_in_another_s_name(signed: Signed, tmp_path: Path) -> None:
    file = tmp_path / "allowed"
    file.write_text(f"github:77 {signed.key.with_suffix('.pub').read_text()}")
    with pytest.raises(VerificationError, match="signature: no listed key of github:1234"):
        verify(signed.folder, Signers.read(file))


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig", "tiny-play.tar.zst"])
def test_what_is_missing_or_a_link_is_named(signed: Signed, tmp_path: Path, name: str) -> None:
    moved = (signed.folder / name).rename(tmp_path / "moved")
    assert failed_check(signed) == "files"
    (signed.folder / name).symlink_to(moved)
    assert failed_check(signed) == "files"


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "tiny-play.tar.zst.bak", "\x1b[2J\n"])
def test_a_stranger_in_the_folder_is_refused(signed: Signed, name: str) -> None:
    (signed.folder / name).write_text("x")
    assert failed_check(signed) == "files"


def test_a_signed_bundle_in_another_form_is_refused(signed: Signed) -> None:
    """The submitter signs what we would not: whitespace, a duplicate key, a stranger key."""
    file = signed.folder / "bundle.json"
    honest = file.read_bytes()
    for data, check in [
        (json.dumps(json.loads(honest)).encode(), "canonical form"),
        (honest.replace(b'"audit": []', b'"audit": [], "audit": []'), "schema"),
        (honest.replace(b'"audit": []', b'"audit": [], "rank": 1'), "schema"),
        (honest.replace(b'"seed": 0', b'"seed": NaN', 1), "schema"),
        (honest.replace(b'"wall_s": 12.5', b'"wall_s": 12.50', 1), "canonical form"),
    ]:
        assert data != honest
        file.write_bytes(data)
        stock_sign(signed.folder, signed.key)
        assert failed_check(signed) == check


def lie(path: str, value: object) -> Callable[[dict[str, object]], None]:
    def change(tree: object) -> None:
        *steps, last = path.split(".")
        for step in steps:
            tree = tree[int(step) if step.isdigit() else step]  # type: ignore[index]
        tree[last] = value  # type: ignore[index]

    return change


@pytest.mark.parametrize(
    ("path", "value", "check"),
    [
        ("payload.0.sha256", "0" * 64, "payload digest"),
        ("payload.0.size_bytes", 3, "payload size"),
        ("payload.0.name", "tiny-chess.tar.zst", "files"),
        ("payload.0.name", "../tiny-play.tar.zst", "schema"),
        ("payload.0.name", "bundle.json", "files"),
        ("payload.0.name", "tiny-play.tar.zst\n", "schema"),
        ("episodes.0.task", "tiny-chess", "payload names"),
        ("episodes.0.attempts.2.artifact_sha256", "0" * 64, "artifact digest"),
        ("episodes.0.attempts.2.artifact_bytes", 1, "artifact digest"),
        ("payload", [], "files"),
    ],
)
def test_a_lie_that_is_signed_is_still_a_lie(signed: Signed, path: str, value: object, check: str) -> None:
    signed.rewrite(lie(path, value))
    assert failed_check(signed) == check


def test_the_final_artifact_cannot_be_left_out(signed: Signed) -> None:
    for part in signed.folder.glob("*.zst"):
        part.unlink()
    signed.rewrite(lie("payload", []))
    assert failed_check(signed) == "final artifact"


def test_a_revoked_key_is_refused_by_list_and_by_krl_and_a_list_that_is_damaged_lets_nobody_pass(
    signed: Signed, tmp_path: Path
) -> None:
    pub = signed.key.with_suffix(".pub")
    other = make_demo_key(tmp_path / "other").with_suffix(".pub")
    krl = tmp_path / "krl"
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", krl, pub], check=True)
    (tmp_path / "damaged").write_text(other.read_text() + "ssh-ed25519 damaged\n")
    assert verify(signed.folder, replace(signed.signers, revoked=other)).principal == SUBMITTER
    for revoked in (pub, krl, tmp_path / "damaged", tmp_path / "absent"):
        with pytest.raises(VerificationError) as caught:
            verify(signed.folder, replace(signed.signers, revoked=revoked))
        assert caught.value.check == "revoked", revoked


def test_the_boards_list_beside_the_entry_is_honoured_by_verify_and_check(signed: Signed) -> None:
    (signed.folder.parent / "revoked").write_text("# a key was lost\n" + signed.key.with_suffix(".pub").read_text())
    words = ["verify", str(signed.folder), "--signers", str(signed.key.with_suffix(".pub"))]
    done = subprocess.run([sys.executable, "-m", "gymboard", *words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "revokes the key SHA256:" in done.stderr
    assert [str(p) for p in check_rules(signed.folder, root=signed.tasks) if "GB110" in str(p)]
    (signed.folder.parent / "revoked").write_text("# nobody's\n")
    assert not [str(p) for p in check_rules(signed.folder, root=signed.tasks) if "GB110" in str(p)]
