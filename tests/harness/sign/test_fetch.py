"""Parts that lie elsewhere: fetched when a listed key signed them, from public addresses, whole and right or not."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import ssl
from pathlib import Path

import pytest

from harness.addresses import is_public
from harness.errors import VerificationError
from harness.fetch import fetch, public_opener
from harness.pack import pack
from harness.schema.bundle import PayloadPart
from harness.signing import Signers, make_demo_key, sign
from harness.verify import verify
from tests.harness.sign.builder import ENTRY, SUBMITTER, Signed
from tests.harness.submit.github import BOARD, Answer, Fault, GitHub, serving


class Elsewhere:
    """An entry whose parts lie at a server on loopback, and the parts as that server has them."""

    def __init__(self, signed: Signed, folder: Path, github: GitHub, trust: ssl.SSLContext) -> None:
        self.github, self.trust, self.signers = github, trust, signed.signers
        self.entry = folder / "elsewhere" / "tiny-entry"
        location = f"{github.web}/bob/files/releases/download/x"
        pack(signed.run, self.entry, ENTRY, SUBMITTER, tasks=signed.tasks, location=location)
        sign(self.entry, signed.key)
        github.releases["bob/files"] = [{"id": 7, "tag_name": "x", "draft": False}]
        self.parts = {file.name: file.read_bytes() for file in sorted(self.entry.glob("*.zst"))}
        for number, (name, data) in enumerate(self.parts.items()):
            github.assets[number] = {"id": number, "release": 7, "name": name, "data": data}
            (self.entry / name).unlink()

    def fetch(self, *, anywhere: bool = True, ledger: Path | None = None) -> list[PayloadPart]:
        opener = public_opener(self.trust, (lambda address: True) if anywhere else None)
        return fetch(self.entry, self.signers, opener, ledger=ledger)

    def mirror(self, at: str | None = None) -> Path:
        """A copy of every part in a release of the board, and a ledger that names it (or names `at` instead)."""
        self.github.releases[BOARD] = [{"id": 8, "tag_name": "evidence", "draft": False}]
        for number, (name, data) in enumerate(self.parts.items(), start=50):
            self.github.assets[number] = {"id": number, "release": 8, "name": name, "data": data}
        evidence = at or f"{self.github.web}/{BOARD}/releases/download/evidence"
        sha256 = hashlib.sha256((self.entry / "bundle.json").read_bytes()).hexdigest()
        ledger = self.entry.parent.parent / "ledger.jsonl"
        ledger.write_text(json.dumps({"kind": "mirror", "bundle_sha256": sha256, "evidence": evidence}) + "\n")
        return ledger

    def asked(self, where: str) -> int:
        return sum(f"/{where}/releases/download/" in call for call in self.github.calls)

    @property
    def there(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in self.entry.glob("*.zst")}


@pytest.fixture
def elsewhere(signed: Signed, tmp_path: Path):  # type: ignore[no-untyped-def]
    github = GitHub(tmp_path)
    with serving(github, tmp_path) as certificate:
        yield Elsewhere(signed, tmp_path, github, ssl.create_default_context(cafile=str(certificate)))


def test_what_is_fetched_is_what_was_signed(elsewhere: Elsewhere) -> None:
    with pytest.raises(VerificationError, match="fetch it beside"):
        verify(elsewhere.entry, elsewhere.signers)
    assert {part.name for part in elsewhere.fetch()} == set(elsewhere.parts)
    assert elsewhere.there == elsewhere.parts
    assert verify(elsewhere.entry, elsewhere.signers).principal == SUBMITTER
    assert [path.name for path in elsewhere.entry.parent.iterdir()] == ["tiny-entry"], "nothing is left beside it"
    assert elsewhere.fetch() == []


def test_loopback_is_not_asked(elsewhere: Elsewhere) -> None:
    with pytest.raises(VerificationError, match=r"payload address: https://localhost:\d+/\S+ leads to localhost"):
        elsewhere.fetch(anywhere=False)
    assert elsewhere.github.calls == []
    assert elsewhere.there == {}


def test_a_redirect_to_loopback_is_not_followed(elsewhere: Elsewhere) -> None:
    """The first address is public as far as the test says so; the second is looked at again."""
    seen: list[str] = []

    def first_only(address: object) -> bool:
        seen.append(str(address))
        return len(seen) == 1

    to = elsewhere.github.web.replace("localhost", "127.0.0.1") + "/secret"
    elsewhere.github.faults.append(Fault("GET", "/download/", Answer(302, {}, {"Location": to})))
    with pytest.raises(VerificationError, match=r"leads to 127\.0\.0\.1"):
        fetch(elsewhere.entry, elsewhere.signers, public_opener(elsewhere.trust, first_only))
    assert not [call for call in elsewhere.github.calls if "secret" in call]


def test_the_boards_own_copy_is_asked_first(elsewhere: Elsewhere) -> None:
    assert len(elsewhere.fetch(ledger=elsewhere.mirror())) == 2
    assert elsewhere.there == elsewhere.parts
    assert (elsewhere.asked(BOARD), elsewhere.asked("bob/files")) == (2, 0)


@pytest.mark.parametrize("fault", ["gone", "others", "nowhere"])
def test_a_copy_that_fails_falls_back_to_the_signed_address(elsewhere: Elsewhere, fault: str) -> None:
    ledger = elsewhere.mirror("https://mirror.invalid/x" if fault == "nowhere" else None)
    if fault == "gone":
        elsewhere.github.releases[BOARD].clear()
    elif fault == "others":
        for number in (50, 51):
            data = elsewhere.github.assets[number]["data"]
            elsewhere.github.assets[number]["data"] = b"x" * len(data)
    elsewhere.fetch(ledger=ledger)
    assert elsewhere.there == elsewhere.parts
    assert elsewhere.asked("bob/files") == 2


def test_what_no_place_serves_is_refused_with_what_each_said(elsewhere: Elsewhere) -> None:
    ledger = elsewhere.mirror()
    elsewhere.github.assets.clear()
    with pytest.raises(VerificationError, match=r"evidence/\S+ HTTP 404; \S+bob/files\S+ HTTP 404"):
        elsewhere.fetch(ledger=ledger)


def test_a_copy_at_a_private_address_is_not_asked(elsewhere: Elsewhere) -> None:
    with pytest.raises(VerificationError, match="not a public address"):
        elsewhere.fetch(anywhere=False, ledger=elsewhere.mirror())
    assert elsewhere.github.calls == []


@pytest.mark.parametrize("to", ["http://127.0.0.1/x", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_anything_but_https_is_not_followed(elsewhere: Elsewhere, to: str) -> None:
    elsewhere.github.faults.append(Fault("GET", "/download/", Answer(302, {}, {"Location": to})))
    with pytest.raises(VerificationError, match="payload address"):
        elsewhere.fetch()
    assert elsewhere.there == {}


@pytest.mark.parametrize("change", [b"x", b"", b"longer than before by far" * 1000])
def test_other_bytes_are_not_put_in_place(elsewhere: Elsewhere, change: bytes) -> None:
    data = elsewhere.github.assets[1]["data"]
    elsewhere.github.assets[1]["data"] = change + data[: len(data) - 1] if change in (b"x", b"") else change
    with pytest.raises(VerificationError, match="payload address"):
        elsewhere.fetch()
    assert elsewhere.there == {name: data for name, data in elsewhere.parts.items() if name in elsewhere.there}
    assert len(elsewhere.there) < 2


def test_nothing_is_asked_for_by_what_nobody_listed_signed(elsewhere: Elsewhere, tmp_path: Path) -> None:
    strangers = Signers.read(make_demo_key(tmp_path / "other").with_suffix(".pub"))
    with pytest.raises(VerificationError, match="signature"):
        fetch(elsewhere.entry, strangers, public_opener(elsewhere.trust, lambda address: True))
    assert elsewhere.github.calls == []


def test_too_much_is_not_begun(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.fetch.MAX_FETCHED_BYTES", 1000)
    with pytest.raises(VerificationError, match="payload size"):
        elsewhere.fetch()
    assert elsewhere.github.calls == []


def test_a_link_that_waits_in_the_folder_is_neither_followed_nor_replaced(elsewhere: Elsewhere, tmp_path: Path) -> None:
    target = tmp_path / "victim"
    target.write_text("mine")
    name = next(iter(elsewhere.parts))
    (elsewhere.entry / name).symlink_to(target)
    elsewhere.fetch()
    assert target.read_text() == "mine"
    with pytest.raises(VerificationError):
        verify(elsewhere.entry, elsewhere.signers)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("140.82.112.3", True),
        ("2606:50c0:8000::153", True),
        *(
            (text, False)
            for text in ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"]
        ),
        *(
            (text, False)
            for text in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1"]
        ),
        *((text, False) for text in ["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1"]),
        ("::ffff:140.82.112.3", True),
    ],
)
def test_what_counts_as_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public
