"""A file of the site that stood before is taken over only while it is the very file made of the same things."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scoring.publish.former import Former

NAME = "page.html"


def stood(tmp_path: Path, key: bytes = b"key") -> tuple[Path, Path]:
    """A site with one page, and where its notes lie."""
    out, place = tmp_path / "site", tmp_path / "home"
    out.mkdir()
    (out / NAME).write_text("made", encoding="utf-8")
    former = Former(out, place)
    assert not former.take(NAME, key, tmp_path), "nothing was noted yet"
    former.note()
    return out, place


def taken(out: Path, place: Path | None, key: bytes = b"key") -> bool:
    built = out.parent / "built"
    built.mkdir()
    return Former(out, place).take(NAME, key, built)


def test_the_same_page_is_taken_over_and_noted_again(tmp_path: Path) -> None:
    out, place = stood(tmp_path)
    for turn in range(2):
        former, built = Former(out, place), tmp_path / f"built-{turn}"
        built.mkdir()
        assert former.take(NAME, b"key", built)
        assert (built / NAME).read_text(encoding="utf-8") == "made"
        (out / NAME).unlink()
        out.rmdir()
        built.rename(out)
        former.note()


def test_a_page_made_of_something_else_is_made_again(tmp_path: Path) -> None:
    assert not taken(*stood(tmp_path), key=b"other")


@pytest.mark.parametrize("gone", [True, False])
def test_a_page_that_somebody_changed_or_removed_is_made_again(tmp_path: Path, gone: bool) -> None:
    out, place = stood(tmp_path)
    before = (out / NAME).stat()
    if gone:
        (out / NAME).unlink()
    else:
        (out / NAME).write_text("MADE", encoding="utf-8")
        os.utime(out / NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not taken(out, place)


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    out, place = stood(tmp_path)
    (out / NAME).rename(tmp_path / "elsewhere.html")
    (out / NAME).symlink_to(tmp_path / "elsewhere.html")
    assert not taken(out, place)


@pytest.mark.parametrize("damage", ["", "[]", "no notes", '{"page.html": 1}', '{"page.html": ["6b6579", 3]}'])
def test_damaged_notes_cost_time_only(tmp_path: Path, damage: str) -> None:
    out, place = stood(tmp_path)
    [notes] = place.iterdir()
    notes.write_text(damage, encoding="utf-8")
    assert not taken(out, place)


def test_without_a_place_nothing_is_noted(tmp_path: Path) -> None:
    out, _ = stood(tmp_path)
    assert not taken(out, None)
