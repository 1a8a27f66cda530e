"""What is kept between builds changes no byte: damaged, foreign or missing, it is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.load import Bundles
from scoring.publish.build import site_sources
from scoring.publish.content import Content
from scoring.publish.entry import Shown
from scoring.publish.kept import FILE, Kept, begun, key, makers, opened
from scoring.publish.templates import environment
from tests.site.fixture import bundle, leaderboard, row


def test_a_text_is_made_once_and_kept(tmp_path: Path) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("x")
        return "drawn"

    for _ in range(2):
        kept = Kept(tmp_path / FILE)
        assert kept.text(key("a"), make) == "drawn"
        kept.close()
    assert len(made) == 1


@pytest.mark.parametrize("damage", [b"no database", b"", bytes(4096)])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    kept = Kept(tmp_path / FILE)
    kept.text(key("a"), lambda: "drawn")
    kept.close()
    (tmp_path / FILE).write_bytes(damage)
    again = Kept(tmp_path / FILE)
    assert again.text(key("a"), lambda: "drawn anew") == "drawn anew"
    again.close()


def test_a_row_that_cannot_be_unpacked_is_made_anew(tmp_path: Path) -> None:
    kept = Kept(tmp_path / FILE)
    kept.text(key("a"), lambda: "drawn")
    assert kept._db is not None
    kept._db.execute("UPDATE drawn SET packed = x'00112233'")
    assert kept.text(key("a"), lambda: "anew") == "anew"
    kept.close()


def test_without_a_folder_to_write_nothing_is_kept_and_all_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    kept = Kept(tmp_path / "file" / FILE)
    assert kept.text(key("a"), lambda: "made") == "made"
    kept.close()


def test_outside_a_build_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path))
    assert begun("spec", lambda: lambda: "one")() == "one"
    assert begun("spec", lambda: lambda: "two")() == "two"
    with opened():
        assert begun("spec", lambda: lambda: "three")() == "three"
    with opened():
        assert begun("spec", lambda: lambda: "four")() == "three"


def test_parts_of_a_key_are_told_apart() -> None:
    assert key("ab", "c") != key("a", "bc") != key("abc")


def test_whatever_a_page_says_is_in_its_key() -> None:
    records = leaderboard()
    content = Content(records, {}, {}, environment(site_sources() / "site" / "templates"))
    board, one = records.boards[0], records.boards[0].rows[0]

    def of(shown: Shown, about: Content = content, bundle: str = "1", made_by: str = "m") -> bytes:
        return about.body_key(shown, bundle, made_by)

    same = of(Shown(board, one))
    assert same == of(Shown(board, one.model_copy(update={"standings": {}}))), "where it stands is in its head"
    other_board = board.model_copy(update={"constants": board.constants.model_copy(update={"tau_max": 2.0})})
    fewer = Content(records.model_copy(update={"ledger": ()}), {}, {}, content.env)
    others = [
        of(Shown(board, one.model_copy(update={"level": "signed"}))),
        of(Shown(board, one.model_copy(update={"cells": one.cells[:-1]}))),
        of(Shown(other_board, one)),
        of(Shown(board, one), bundle="2"),
        of(Shown(board, one), made_by="other templates"),
        of(Shown(board, one), about=fewer),
        of(Shown(board, one), about=Content(records, {}, {}, content.env, "https://elsewhere.example/")),
        of(Shown(board, row(1, "bell"))),
    ]
    assert len({same, *others}) == len(others) + 1


def test_another_template_is_another_maker(tmp_path: Path) -> None:
    (tmp_path / "site" / "templates").mkdir(parents=True)
    template = tmp_path / "site" / "templates" / "a.html"
    template.write_text("one", encoding="utf-8")
    before = makers(tmp_path)
    template.write_text("two", encoding="utf-8")
    makers.cache_clear()
    assert makers(tmp_path) != before


def test_the_digest_of_a_bundle_follows_its_bytes_and_its_signature(tmp_path: Path) -> None:
    folder = tmp_path / "entry-3"
    folder.mkdir()
    bundles = Bundles(tmp_path)
    assert bundles.digest("entry-3") is None and bundles.digest("..") is None
    (folder / "bundle.json").write_bytes(bundle().canonical())
    plain = bundles.digest("entry-3")
    (folder / "bundle.json.sig").write_bytes(b"signature")
    signed = bundles.digest("entry-3")
    (folder / "bundle.json").write_bytes(bundle().canonical() + b"\n")
    assert len({None, plain, signed, bundles.digest("entry-3")}) == 4
