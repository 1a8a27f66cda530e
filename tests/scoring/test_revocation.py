"""Keys that were lost: what they signed since then leaves the board, what came in before stays, and nothing enters."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import SchemaError, UsageError, VerificationError
from harness.revoked import REVOKED, read_revoked
from harness.signing import NAMESPACE, make_demo_key
from scoring.facts.read import read_facts
from scoring.inclusion import frozen_signer, include_entry
from scoring.ledger import LEDGER, append_line, read_ledger
from scoring.revocation import check_list, revoke
from tests.scoring.builder import NOW, SUBMITTER, everywhere, run_bundle, write_entry
from tests.scoring.conftest import Enter

VALUES = everywhere({"house-price": 0.9}, seeds=2)
BEFORE, AFTER = "2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
ABOUT = {"time": NOW, "reason": "Its owner lost the laptop."}


def public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


def standing(submissions: Path, cache: Path | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """Entry -> level of what counts, folder -> reason of what does not."""
    with read_facts(submissions, cache=cache) as facts:
        rows = dict(facts.db.execute("SELECT entry, level::VARCHAR FROM entries").fetchall())
        return rows, {name: "; ".join(reasons) for name, reasons in facts.rejections}


@pytest.fixture
def key(tmp_path: Path) -> str:
    """The key with which `enter` signs."""
    return public(make_demo_key(tmp_path / "keys"))


def test_what_came_in_since_the_loss_leaves_and_what_came_before_stays(
    submissions: Path, enter: Enter, key: str, tmp_path: Path
) -> None:
    enter("mine", VALUES)
    cache = tmp_path / "cache"
    assert standing(submissions, cache) == ({"mine": "regraded"}, {})
    revoke(submissions, key, AFTER, ABOUT)
    assert standing(submissions, cache) == ({"mine": "regraded"}, {})
    revoke(submissions, key, BEFORE, {**ABOUT, "reason": "It was lost long ago."})
    rows, rejected = standing(submissions, cache)
    assert rows == {} and "It was lost long ago." in rejected["mine"]
    revoke(submissions, key, AFTER, {**ABOUT, "reason": "It was found; the date was wrong."})
    assert standing(submissions, cache) == ({"mine": "regraded"}, {})
    assert [line.kind for line in read_ledger(submissions / LEDGER)][2:] == ["revocation"] * 3
    assert read_revoked(submissions / REVOKED) == {key}
    check_list(submissions)


def test_a_listed_key_without_a_line_counts_for_nothing(submissions: Path, enter: Enter, key: str) -> None:
    enter("mine", VALUES)
    (submissions / REVOKED).write_text(f"# in haste\n{key} somebody's comment\n")
    rows, rejected = standing(submissions)
    assert rows == {} and "is on the list of revoked keys" in rejected["mine"]
    with pytest.raises(VerificationError, match="do not name the same keys"):
        check_list(submissions)


def test_nothing_signed_by_it_comes_in(submissions: Path, enter: Enter, key: str, tmp_path: Path) -> None:
    enter("mine", VALUES)
    revoke(submissions, key, AFTER, ABOUT)
    write_entry(submissions, run_bundle("another", VALUES), tmp_path / "keys")
    with pytest.raises(VerificationError, match="revoked"):
        include_entry(submissions, "another", "test")
    assert len(read_ledger(submissions / LEDGER)) == 3


@pytest.mark.parametrize(
    "text", ["no key at all\n", "ssh-ed25519 AAAA\n", "ssh-rsa {blob}\n", "SSHKRL\n\0binary", 'command="x" {key}\n']
)
def test_a_list_that_openssh_would_not_read_stops_the_board(
    submissions: Path, enter: Enter, key: str, text: str
) -> None:
    enter("mine", VALUES)
    (submissions / REVOKED).write_text(text.format(key=key, blob=key.split()[1]))
    with pytest.raises(VerificationError, match="revoked"):
        standing(submissions)
    assert "Good" not in stock(submissions, "mine", key), "OpenSSH fails closed too"


def test_the_list_is_no_link(submissions: Path, enter: Enter, tmp_path: Path) -> None:
    enter("mine", VALUES)
    (submissions / REVOKED).symlink_to(tmp_path / "nowhere")
    with pytest.raises(VerificationError, match="no plain file"):
        standing(submissions)


def stock(submissions: Path, entry: str, key: str) -> str:
    """What ssh-keygen says about an entry's signature under the board's list."""
    allowed = submissions.with_name("allowed")
    allowed.write_text(f"{SUBMITTER} {key}\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", SUBMITTER, "-n", NAMESPACE]
    command += ["-s", str(submissions / entry / "bundle.json.sig"), "-r", str(submissions / REVOKED)]
    data = (submissions / entry / "bundle.json").read_bytes()
    return subprocess.run(command, input=data, capture_output=True).stdout.decode()


def test_openssh_itself_reads_the_list(submissions: Path, enter: Enter, key: str, tmp_path: Path) -> None:
    enter("mine", VALUES)
    revoke(submissions, public(make_demo_key(tmp_path / "another")), AFTER, ABOUT)
    assert "Good" in stock(submissions, "mine", key)
    revoke(submissions, key, AFTER, ABOUT)
    assert "Good" not in stock(submissions, "mine", key)


@pytest.mark.parametrize(
    "content",
    [
        {"compromised": AFTER},
        {"key_fingerprint": "SHA256:x"},
        {"key_fingerprint": "SHA256:x", "compromised": "yesterday"},
        {"key_fingerprint": "SHA256:x", "compromised": AFTER, "entry": "mine", "bundle_sha256": "ab" * 32},
        {"key_fingerprint": "SHA256:x", "compromised": AFTER, "public_key": "ssh-ed25519 AAAA"},
    ],
)
def test_a_revocation_names_a_key_and_a_date(submissions: Path, content: dict[str, str]) -> None:
    with pytest.raises(SchemaError):
        append_line(submissions / LEDGER, {**ABOUT, "kind": "revocation", **content})


@pytest.mark.parametrize("kind", ["inclusion", "review", "removal"])
def test_every_other_decision_is_about_an_entry(submissions: Path, kind: str) -> None:
    for content in ({}, {"entry": "mine"}, {"bundle_sha256": "ab" * 32}):
        with pytest.raises(SchemaError):
            append_line(submissions / LEDGER, {**ABOUT, "kind": kind, **content})


def test_the_frozen_key_verifies_when_nobody_publishes_it_any_more(
    submissions: Path, enter: Enter, key: str, tmp_path: Path
) -> None:
    folder = enter("mine", VALUES)
    line = read_ledger(submissions / LEDGER)[0]
    assert (line.principal, line.public_key) == (SUBMITTER, key)
    allowed = tmp_path / "frozen"
    allowed.write_text(frozen_signer(submissions, "mine") + "\n")
    command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", SUBMITTER, "-n", NAMESPACE]
    command += ["-s", str(folder / "bundle.json.sig")]
    assert subprocess.run(command, input=(folder / "bundle.json").read_bytes(), capture_output=True).returncode == 0
    with pytest.raises(UsageError, match="name the folder"):
        frozen_signer(submissions, "nobody")
    (folder / "bundle.json").write_bytes(b"{}")
    with pytest.raises(UsageError, match="froze no key"):
        frozen_signer(submissions, "mine")


def test_a_line_of_before_names_the_key_by_its_files(submissions: Path, key: str, tmp_path: Path) -> None:
    """Lines that froze a fingerprint alone: the key is in the signature, and must have that fingerprint."""
    folder = write_entry(submissions, run_bundle("mine", VALUES), tmp_path / "keys")
    include_entry(submissions, "mine", "test")
    whole = read_ledger(submissions / LEDGER)[0].model_dump(exclude_none=True)
    (submissions / LEDGER).unlink()
    kept = ("time", "kind", "entry", "bundle_sha256", "reason", "key_fingerprint")
    append_line(submissions / LEDGER, {name: whole[name] for name in kept})
    assert frozen_signer(submissions, "mine") == f'{SUBMITTER} namespaces="{NAMESPACE}" {key}'
    write_again(folder, tmp_path / "other")
    with pytest.raises(UsageError, match="is not what line 0"):
        frozen_signer(submissions, "mine")


def write_again(folder: Path, keys: Path, kind: str = "ed25519") -> None:
    """Sign the same bytes once more, as their submitter could."""
    keys.mkdir(exist_ok=True)
    if not (keys / kind).exists():
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", keys / kind], check=True)
    (folder / "bundle.json.sig").unlink()
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", keys / kind, "-n", NAMESPACE, folder / "bundle.json"]
    subprocess.run(command, check=True, capture_output=True)


def test_another_key_or_another_signature_needs_another_line(submissions: Path, tmp_path: Path) -> None:
    folder = write_entry(submissions, run_bundle("mine", VALUES), tmp_path / "keys")
    include_entry(submissions, "mine", "test")
    for why in ("but included with the key", "signed again since"):
        write_again(folder, tmp_path / "other", "ecdsa")  # an ECDSA signature is another one each time
        rows, rejected = standing(submissions)
        assert rows == {} and why in rejected["mine"]
        include_entry(submissions, "mine", "signed again")
        assert standing(submissions) == ({"mine": "signed"}, {})
