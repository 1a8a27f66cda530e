"""The comment: a stranger's archive in, harmless Markdown out, and no claim of rank or level believed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from harness.schema.markdown import code
from scoring.comment import MARK, MAX_CHARS, MAX_MEMBER_BYTES, comment, read_changed
from tests.scoring.builder import GOOD, everywhere, run_bundle
from tests.scoring.test_settle import Merged

OWN = ("submissions/mine/bundle.json", "submissions/mine/bundle.json.sig")
CHECK = json.dumps({"problems": [], "acceptable": True}).encode()


def changed(tmp_path: Path, *names: str) -> Path:
    file = tmp_path / "changed.jsonl"
    file.write_text("".join(json.dumps({"filename": name, "status": "added"}) + "\n" for name in names))
    return file


def archive(tmp_path: Path, **members: bytes) -> Path:
    file = tmp_path / "preview.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in members.items():
            opened.writestr(f"mine/{name}.json", data)
    return file


def said(tmp_path: Path, found: Path | None, *names: str) -> str:
    submissions = tmp_path / "board"
    submissions.mkdir(exist_ok=True)
    return comment(found, read_changed(changed(tmp_path, *(names or OWN))), submissions)


def report(tmp_path: Path, found: float = 0.9, **other: object) -> bytes:
    merged = Merged(tmp_path)
    merged.report(found, **other)  # type: ignore[arg-type]
    return (merged.reports / "mine.regrade.json").read_bytes()


def test_claimed_beside_regraded_and_where_it_would_land(tmp_path: Path) -> None:
    bundle = run_bundle("mine", everywhere(GOOD)).canonical()
    found = archive(tmp_path, check=CHECK, regrade=report(tmp_path), bundle=bundle)
    text = said(tmp_path, found)
    assert text.startswith(MARK)
    assert "| house-price/seed-0 | 0 | `r2` | 0.9 | 0.9 | 0 | 1e-09 | agrees |" in text
    assert "rank 1 to 1 of 1" in text and "by its own claims" in text
    assert "A preview grants nothing" in text


def test_disagreements_come_first_and_are_counted(tmp_path: Path) -> None:
    text = said(tmp_path, archive(tmp_path, check=CHECK, regrade=report(tmp_path, 0.5)))
    assert "2 claim(s) not found again" in text and "**disagrees**" in text


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (b'{"problems": [], "acceptable": true, "level": "reproduced"}', "level"),
        (b"[" * 200_000, "problem(s)"),
        (b'{"problems": [], "problems": [], "acceptable": true}', "problems"),
        (b"\xff\xfe", "cannot be read"),
        (b" " * (MAX_MEMBER_BYTES + 1), "more than"),
    ],
)
def test_a_member_that_is_odd_is_named_and_nothing_of_it_shown(tmp_path: Path, member: bytes, reason: str) -> None:
    text = said(tmp_path, archive(tmp_path, check=member))
    assert "cannot be read" in text and reason in text
    assert len(text) < 5_000


def test_a_report_cannot_claim_a_level_that_its_figures_do_not_support(tmp_path: Path) -> None:
    tree = json.loads(report(tmp_path, 0.5))
    lied = json.dumps({**tree, "obstacles": [], "supports": "regraded"}).encode()
    text = said(tmp_path, archive(tmp_path, check=CHECK, regrade=lied))
    assert "cannot be read" in text and "regraded needs" in text


def test_no_zip_a_bomb_and_too_many_members(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 no archive")
    assert "cannot be read" in said(tmp_path, broken)
    damaged = bytearray(archive(tmp_path, check=CHECK * 50).read_bytes())
    damaged[50:60] = bytes(10)
    broken.write_bytes(damaged)
    assert "cannot be read" in said(tmp_path, broken)
    bomb = archive(tmp_path, check=bytes(200 << 20))
    assert bomb.stat().st_size < 1 << 20
    assert "more than" in said(tmp_path, bomb)
    many = archive(tmp_path, **{f"x{number}": b"" for number in range(100)})
    assert "100 files" in said(tmp_path, many)


def test_only_the_entry_that_the_api_names_is_read(tmp_path: Path) -> None:
    found = archive(tmp_path, check=CHECK, regrade=report(tmp_path))
    text = said(tmp_path, found, "submissions/other/bundle.json")
    assert "house-price" not in text and "It was not checked" in text


def test_what_else_is_changed_is_named(tmp_path: Path) -> None:
    text = said(tmp_path, None, *OWN, ".github/workflows/submission.yml", "submissions/ledger.jsonl")
    assert "GB401, GB407" in text and "`.github/workflows/submission.yml`" in text and "ledger.jsonl" in text
    assert "changes 2 entries" in said(tmp_path, None, *OWN, "submissions/other/bundle.json")


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "`` ` ``` @everyone",
    "a|b\n| c |",
    "[x](https://evil.example)",
    "\u202eabc",
    "$(id)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_strangers_text_stays_inside_its_code_span(tmp_path: Path, text: str) -> None:
    from markdown_it import MarkdownIt

    span = code(text)
    assert "\n" not in span and "|" not in span
    [inline] = [token for token in MarkdownIt("commonmark").parse(f"a {span} b") if token.type == "inline"]
    assert [child.type for child in inline.children or []] == ["text", "code_inline", "text"]
    problems = json.dumps({"problems": [{"severity": "error", "path": text, "message": text}], "acceptable": False})
    whole = said(tmp_path, archive(tmp_path, check=problems.encode()))
    assert span in whole


def test_a_long_story_is_cut(tmp_path: Path) -> None:
    one = {"severity": "error", "path": "x" * 5000, "message": "y" * 5000}
    text = said(tmp_path, archive(tmp_path, check=json.dumps({"problems": [one] * 300, "acceptable": False}).encode()))
    assert len(text) < MAX_CHARS + 100 and "300 error(s)" in text
