"""The board's own copies: made once, read back, written down once; what goes wrong is finished by the same call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import SubmitError, VerificationError
from harness.mirrors import MAX_MIRRORS, mirrors
from harness.signing import Signers
from harness.submit.line import Target
from harness.submit.mirror import Mirrored, mirror, parts_here
from harness.submit.server import Server, Token
from scoring.ledger import read_ledger
from tests.harness.submit.conftest import Submitter
from tests.harness.submit.github import BOARD, Account, Answer, Fault

ROOT = Path(__file__).resolve().parents[3]
OWNER = "ghp_the-maintainers"


@pytest.fixture
def signed(submitter: Submitter) -> Submitter:
    """An entry whose parts lie in a release of its submitter's fork; they were fetched beside its bundle."""
    github = submitter.github
    submitter.pack(location=f"{github.web}/ada/gymboard/releases/download/tiny-entry")
    github.accounts["gymboard"] = Account("gymboard", 7, OWNER)
    return submitter


def mirrored(signed: Submitter, token: str = OWNER) -> Mirrored:
    target = Target(Server.at(signed.github.web), BOARD)
    signers = Signers.read(signed.key.with_suffix(".pub"))
    verified = parts_here(signed.entry, signers, signed.entry.parent / "ledger.jsonl")
    return mirror(signed.entry, verified, target, Token("GITHUB_TOKEN", token), signed.told.append)


def on_the_board(signed: Submitter) -> dict[str, bytes]:
    releases = {made["id"] for made in signed.github.releases.get(BOARD, []) if not made["draft"]}
    return {one["name"]: one["data"] for one in signed.github.assets.values() if one["release"] in releases}


def test_every_part_lies_in_one_release_of_the_board(signed: Submitter) -> None:
    done = mirrored(signed)
    parts = {file.name: file.read_bytes() for file in signed.entry.glob("*.zst")}
    assert on_the_board(signed) == parts and len(parts) == 2
    assert sorted(done.sent) == sorted(done.parts) == sorted(parts)
    tag = f"evidence-tiny-entry-{done.bundle_sha256[:16]}"
    assert done.at == f"{signed.github.web}/{BOARD}/releases/download/{tag}"
    assert signed.github.violations == [], "in particular, no download carried the token"


def test_called_again_it_sends_nothing(signed: Submitter) -> None:
    first = mirrored(signed)
    signed.github.calls.clear()
    again = mirrored(signed)
    assert (again.at, again.sent) == (first.at, ())
    assert not [call for call in signed.github.calls if not call.startswith("GET")]


@pytest.mark.parametrize("after", [0, 1])
def test_a_copy_that_broke_off_is_not_published_and_goes_on(signed: Submitter, after: int) -> None:
    signed.github.faults.append(Fault("POST", "/assets$", after=after, cut=True))
    with pytest.raises(SubmitError, match="run the same command again"):
        mirrored(signed)
    assert on_the_board(signed) == {}
    assert len(mirrored(signed).sent) == 2 - after
    assert len(signed.github.releases[BOARD]) == 1


def test_what_the_board_serves_is_read_back(signed: Submitter) -> None:
    signed.github.faults.append(Fault("GET", "/releases/download/evidence-", Answer(200, b"another file")))
    with pytest.raises(SubmitError, match="does not serve the bytes"):
        mirrored(signed)
    assert mirrored(signed).sent == ()


def test_a_part_that_is_not_what_was_signed_is_not_copied(signed: Submitter) -> None:
    part = next(signed.entry.glob("*.zst"))
    part.write_bytes(part.read_bytes()[:-1] + b"!")
    with pytest.raises(VerificationError, match="payload digest"):
        mirrored(signed)
    assert signed.github.calls == []


def test_only_maintainers_may(signed: Submitter) -> None:
    with pytest.raises(SubmitError, match="the board's maintainers may"):
        mirrored(signed, signed.account.token)
    assert signed.github.releases == {}


def test_an_entry_whose_parts_lie_beside_it_needs_no_copy(submitter: Submitter) -> None:
    assert mirrored(submitter, submitter.account.token).at is None
    assert submitter.github.calls == []


def command(signed: Submitter, board: Path, *words: str, token: str = OWNER) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT), "GITHUB_TOKEN": token, "GITHUB_SERVER_URL": signed.github.web}
    keys = str(signed.key.with_suffix(".pub"))
    call = ["ledger", "mirror", "tiny-entry", "--signers", keys, "--submissions", str(board), "--board", BOARD, *words]
    return subprocess.run([sys.executable, "-m", "gymboard", *call], env=env, capture_output=True, text=True)


def test_the_command_writes_one_line_and_fetches_prefer_the_copy(signed: Submitter, tmp_path: Path) -> None:
    board = tmp_path / "board"
    board.mkdir()
    told = ("--from", str(signed.entry.parent), "--reason", "Pull request 12.")
    done = command(signed, board, *told)
    assert done.returncode == 0, done.stderr
    [line] = read_ledger(board / "ledger.jsonl")
    assert (line.kind, line.entry, line.reason) == ("mirror", "tiny-entry", "Pull request 12.")
    assert mirrors(board / "ledger.jsonl", line.bundle_sha256) == (line.evidence,)
    assert OWNER not in done.stdout + done.stderr
    again = command(signed, board, *told)
    assert (again.returncode, again.stdout) == (0, "nothing new to write down\n"), again.stderr
    assert len(read_ledger(board / "ledger.jsonl")) == 1


def test_nothing_is_written_down_when_the_copy_fails(signed: Submitter, tmp_path: Path) -> None:
    board = tmp_path / "board"
    board.mkdir()
    done = command(signed, board, "--from", str(signed.entry.parent), token=signed.account.token)
    assert done.returncode == 1
    assert "the board's maintainers may" in done.stderr and "nothing was written down" in done.stderr
    assert not (board / "ledger.jsonl").exists()
    wrong = command(signed, board)
    assert (wrong.returncode, "with --from where it lies" in wrong.stderr) == (2, True)


SHA = "ab" * 32
HOSTILE = [
    b"\xff\xfe" + SHA.encode(),
    b"[" * 100_000 + SHA.encode(),
    SHA.encode(),
    json.dumps({"kind": "mirror", "bundle_sha256": SHA}).encode(),
    json.dumps({"kind": "mirror", "bundle_sha256": SHA, "evidence": "http://a.org/x"}).encode(),
    json.dumps({"kind": "mirror", "bundle_sha256": SHA, "evidence": "file:///etc/passwd"}).encode(),
    json.dumps({"kind": "inclusion", "bundle_sha256": SHA, "evidence": "https://a.org/x"}).encode(),
    json.dumps({"kind": "mirror", "bundle_sha256": "0" * 64, "evidence": f"https://a.org/{SHA}"}).encode(),
]


def test_a_ledger_that_cannot_be_read_names_no_copy(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    assert mirrors(ledger, SHA) == ()
    ledger.write_bytes(b"\n".join(HOSTILE) + b"\n")
    assert mirrors(ledger, SHA) == ()
    ledger.unlink()
    ledger.symlink_to("/dev/zero")
    assert mirrors(ledger, SHA) == ()


def test_the_newest_copies_come_first_and_few_are_asked(tmp_path: Path) -> None:
    lines = [{"kind": "mirror", "bundle_sha256": SHA, "evidence": f"https://a.org/{n}"} for n in (0, 1, 2, 1, 3, 4)]
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = mirrors(tmp_path / "ledger.jsonl", SHA)
    assert found == ("https://a.org/4", "https://a.org/3", "https://a.org/1")[:MAX_MIRRORS]
