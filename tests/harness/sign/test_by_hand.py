"""The four printed lines, executed as they stand with stock tools: they hold for what was signed, for no other."""

from __future__ import annotations

import functools
import html
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.by_hand import by_hand
from harness.schema.bundle import Bundle
from harness.sshsig import public_key
from tests.harness.sign.builder import Signed

ROOT = Path(__file__).resolve().parents[3]
STOCK = ("cp", "curl", "sed", "sha256sum", "ssh-keygen")


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A PATH of nothing but OpenSSH and what every machine has."""
    folder = tmp_path / "stock"
    folder.mkdir()
    for name in STOCK:
        found = shutil.which(name)
        assert found, f"{name} is missing"
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which a static site's server would show it."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


def lines_of(signed: Signed, source: str) -> tuple[str, ...]:
    """As `gymboard verify --how` prints them."""
    command = [sys.executable, "-m", "gymboard", "verify", str(signed.folder), "--how", *source.split()]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(done.stdout.splitlines())


def run_lines(lines: tuple[str, ...], stock: Path, place: Path) -> list[int]:
    """Each line's exit code, in a new empty folder, with the lines that follow a failure left out."""
    place.mkdir()
    codes: list[int] = []
    for line in lines:
        done = subprocess.run(["/bin/sh", "-c", line], cwd=place, env={"PATH": str(stock)}, capture_output=True)
        codes.append(done.returncode)
        if done.returncode:
            break
    return codes


def test_the_lines_hold_for_a_signed_bundle_over_http_and_for_no_flipped_byte(
    signed: Signed, stock: Path, served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    shutil.copytree(signed.folder, folder / "tiny-entry")
    lines = lines_of(signed, f"--from {address}/tiny-entry")
    assert len(lines) == 4
    assert run_lines(lines, stock, tmp_path / "honest") == [0, 0, 0, 0]
    for number, name in enumerate(sorted(path.name for path in signed.folder.iterdir())):
        file = folder / "tiny-entry" / name
        honest = file.read_bytes()
        file.write_bytes(honest[:-20] + bytes([honest[-20] ^ 1]) + honest[-19:])
        codes = run_lines(lines, stock, tmp_path / str(number))
        assert codes[-1] != 0, name
        assert len(codes) == (4 if name.endswith(".zst") else 3), name
        file.write_bytes(honest)


def test_a_missing_part_and_a_swapped_bundle_are_noticed(
    signed: Signed, stock: Path, served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    lines = lines_of(signed, f"--from {address}/tiny-entry")
    assert run_lines(lines, stock, tmp_path / "absent")[0] != 0
    shutil.copytree(signed.folder, folder / "tiny-entry")
    signed.rewrite(lambda tree: tree["entry"].update(agent_version="9.9.9"))  # type: ignore[attr-defined]
    for name in ("bundle.json", "bundle.json.sig"):
        shutil.copy(signed.folder / name, folder / "tiny-entry" / name)
    codes = run_lines(lines, stock, tmp_path / "swapped")
    assert codes[:3] == [0, 0, 0] and codes[3] != 0, "its own key signed other bytes than the ledger froze"


def test_a_part_that_lies_elsewhere_is_fetched_from_there(
    signed: Signed, stock: Path, served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    (folder / "release").mkdir()
    part = signed.bundle.payload[0]

    def elsewhere(tree: dict[str, list[dict[str, str]]]) -> None:
        tree["payload"][0]["location"] = f"https://files.example/it's [1] & more/{part.name}".replace(" ", "%20")

    signed.rewrite(elsewhere)  # type: ignore[arg-type]
    shutil.copytree(signed.folder, folder / "tiny-entry")
    (folder / "tiny-entry" / part.name).rename(folder / "release" / part.name)
    lines = lines_of(signed, f"--from {address}/tiny-entry")
    said = re.search(r"'https://files\.example/[^ ]*'", lines[0])
    assert said, lines[0]
    lines = (
        lines[0].replace(said[0], f"'{address}/release/{{{part.name.removesuffix('.tar.zst')}}}.tar.zst'"),
        *lines[1:],
    )
    assert run_lines(lines, stock, tmp_path / "there") == [0, 0, 0, 0]
    bundle, key = (
        Bundle.from_json((signed.folder / "bundle.json").read_bytes()),
        lines[1].split("' >")[0].split('" ')[1],
    )
    digest = lines[3].split("'")[1].split()[0]
    copied = by_hand(bundle, digest, key, f"{address}/tiny-entry", f"{address}/release/")
    assert run_lines(copied, stock, tmp_path / "copied") == [0, 0, 0, 0], "the board's own copies come first"


def test_parts_of_one_folder_are_fetched_together_and_others_by_their_own_names(signed: Signed) -> None:
    part = signed.bundle.payload[0]
    places = {
        "a": "https://x.example/r/a.tar.zst",
        "b": "https://x.example/r/b.tar.zst",
        "c": "https://y.example/get?id=c",
    }
    parts = tuple(part.model_copy(update={"name": f"{name}.tar.zst", "location": at}) for name, at in places.items())
    bundle = signed.bundle.model_copy(update={"payload": parts})
    line = by_hand(bundle, "0" * 64, "ssh-ed25519 AAAA", "https://board.example/x")[0]
    assert line.endswith(
        " -o '#1.tar.zst' 'https://x.example/r/{a,b}.tar.zst' -o c.tar.zst 'https://y.example/get?id=c'"
    )


def test_from_a_folder_whose_name_needs_quotes(signed: Signed, stock: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's $(here); `x`"
    shutil.copytree(signed.folder, odd)
    data = (odd / "bundle.json").read_bytes()
    key = public_key((odd / "bundle.json.sig").read_bytes())
    digest = subprocess.run(["sha256sum"], input=data, capture_output=True).stdout.split()[0].decode()
    assert run_lines(by_hand(signed.bundle, digest, key, str(odd)), stock, tmp_path / "place") == [0, 0, 0, 0]


def test_a_strangers_name_reaches_no_shell(signed: Signed) -> None:
    """What scoring has read of an included bundle was held to its schema, which lets a part have any name."""
    part = signed.bundle.payload[0].model_copy(update={"name": "x'; touch /tmp/pwned; '.tar.zst"})
    bundle = signed.bundle.model_copy(update={"payload": (part,)})
    assert "pwned" not in "".join(by_hand(bundle, "0" * 64, "ssh-ed25519 AAAA", "https://board.example/x"))


def test_the_page_of_an_entry_prints_lines_that_hold(stock: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    """The committed entries, from the files that the site publishes, by the text of the page."""
    from harness.schema.task import load_tasks
    from scoring.build import build_leaderboard
    from scoring.load import Bundles
    from scoring.publish.content import Content
    from scoring.publish.evidence import publish_evidence
    from scoring.publish.templates import environment
    from scoring.publish.texts import Texts

    folder, address = served
    submissions = ROOT / "submissions"
    templates = environment(ROOT / "site" / "templates")
    loaded = Bundles(submissions)
    content = Content(build_leaderboard(submissions), load_tasks(), loaded, templates, f"{address}/")
    pages = {
        shown.row.id: content.body(shown, Texts(), loaded.get(shown.row.id))["entry-provenance"]
        for shown in content.entries()
    }
    publish_evidence(submissions, pages, folder / "submissions")
    signed = {place.parent.name for place in submissions.glob("*/bundle.json.sig")}
    assert signed
    for name, page in pages.items():
        found = re.search(r"id=verify.*?<pre><code>(.*?)</code></pre>", page, re.DOTALL)
        assert bool(found) == (name in signed), name
        if found:
            lines = tuple(html.unescape(found[1]).splitlines())
            assert len(lines) == 4
            assert run_lines(lines, stock, tmp_path / name) == [0, 0, 0, 0], name
    assert {path.name for path in (folder / "submissions").iterdir() if path.is_dir()} == signed


def test_a_site_that_copies_nothing_prints_lines_that_hold(
    stock: Path, served: tuple[Path, str], tmp_path: Path
) -> None:
    """The folder of entries is public elsewhere, as a repository's at one commit is: its address is on the pages."""
    from scoring.publish.preview import build_from

    folder, address = served
    shutil.copytree(ROOT / "submissions", folder / "board" / "commit" / "submissions")
    site = build_from(ROOT / "submissions", tmp_path / "site", None, f"{address}/board/commit/submissions/").parent
    assert list((site / "submissions").rglob("bundle.json*")) == []
    signed = [place.parent.name for place in (ROOT / "submissions").glob("*/bundle.json.sig")]
    for name in signed:
        page = (site / "entries" / f"{name}.html").read_text(encoding="utf-8")
        found = re.search(r"id=verify.*?<pre><code>(.*?)</code></pre>", page, re.DOTALL)
        assert found and "slot--" not in page
        lines = tuple(html.unescape(found[1]).splitlines())
        assert lines[0].startswith("curl ") and f"{address}/board/commit/submissions/{name}/" in lines[0]
        assert run_lines(lines, stock, tmp_path / name) == [0, 0, 0, 0]


@pytest.mark.parametrize("address", ["https://x/'$(id)'", "https://x/a b", "ftp://x/a", "https://x/<b>", "//x", "x;y"])
def test_an_address_that_means_something_to_a_shell_or_a_page_is_refused(address: str) -> None:
    from harness.errors import UsageError
    from scoring.publish.evidence import public

    with pytest.raises(UsageError, match="no plain address"):
        public(address)
