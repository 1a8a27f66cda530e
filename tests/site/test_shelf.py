"""Files that are kept between builds: copied when whole, made anew when damaged, and never of another key."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring.publish.shelf import MOST, shelved


class Maker:
    """Writes one file and counts how often it had to."""

    def __init__(self, text: str = "made") -> None:
        self.text, self.times = text, 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        (folder / "table.csv").write_text(self.text, encoding="utf-8")


def filled(place: Path | None, key: bytes, folder: Path, make: Maker) -> str:
    folder.mkdir()
    shelved(place, key, folder, make)
    assert [file.name for file in folder.iterdir()] == ["table.csv"]
    return (folder / "table.csv").read_text(encoding="utf-8")


def test_files_are_made_once_a_key(tmp_path: Path) -> None:
    make, other = Maker(), Maker("other")
    found = [filled(tmp_path / "shelf", b"a", tmp_path / str(number), make) for number in range(2)]
    assert (found, make.times) == (["made", "made"], 1)
    assert filled(tmp_path / "shelf", b"b", tmp_path / "other", other) == "other"


@pytest.mark.parametrize("damage", ["changed", None])
def test_a_damaged_file_is_made_anew_and_kept_again(tmp_path: Path, damage: str | None) -> None:
    make = Maker()
    filled(tmp_path / "shelf", b"a", tmp_path / "first", make)
    kept = next((tmp_path / "shelf").glob("*/table.csv"))
    kept.unlink()
    if damage:
        kept.write_text(damage, encoding="utf-8")
    found = [filled(tmp_path / "shelf", b"a", tmp_path / str(number), make) for number in range(2)]
    assert (found, make.times) == (["made", "made"], 2)


def test_what_a_reader_changes_in_his_copy_stays_his(tmp_path: Path) -> None:
    make = Maker()
    filled(tmp_path / "shelf", b"a", tmp_path / "first", make)
    filled(tmp_path / "shelf", b"a", tmp_path / "second", make)
    (tmp_path / "second" / "table.csv").write_text("his", encoding="utf-8")
    assert (filled(tmp_path / "shelf", b"a", tmp_path / "third", make), make.times) == ("made", 1)


def test_few_folders_stay(tmp_path: Path) -> None:
    for number in range(MOST + 2):
        filled(tmp_path / "shelf", bytes([number]), tmp_path / str(number), Maker())
    assert len(list((tmp_path / "shelf").iterdir())) == MOST


@pytest.mark.parametrize("place", [None, Path("a file/shelf")])
def test_without_a_place_all_is_made(tmp_path: Path, place: Path | None) -> None:
    (tmp_path / "a file").write_text("", encoding="utf-8")
    make = Maker()
    for number in range(2):
        assert filled(place and tmp_path / place, b"a", tmp_path / str(number), make) == "made"
    assert make.times == 2
