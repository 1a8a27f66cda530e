"""A file is replaced whole, and not through a link; what the system refuses is told in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import harness.files
from harness.errors import UsageError, in_words
from harness.files import demand_room, replace_file


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    (tmp_path / "report").symlink_to(kept)
    assert replace_file(tmp_path / "report", b"new").read_bytes() == b"new"
    assert kept.read_text() == "mine" and not (tmp_path / "report").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "report"]


def test_a_failure_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    with pytest.raises(OSError):
        replace_file(tmp_path / "report", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_full_disk_is_told_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness.files, "ROOM_BYTES", 1 << 62)
    with pytest.raises(OSError) as full:
        demand_room(tmp_path)
    assert in_words(full.value) == f"{tmp_path}: less than {1 << 42} MiB are free there; free some"
    assert "Errno" in str(full.value), "as the system's errors are"


def test_an_error_of_the_system_names_what_was_touched_once(tmp_path: Path) -> None:
    gone, folder = tmp_path / "gone", tmp_path / "folder"
    folder.mkdir()
    for act, words in (
        (gone.read_bytes, f"{gone}: No such file or directory"),
        (lambda: gone.rename(folder), f"{gone} -> {folder}: No such file or directory"),
        (lambda: os.close(-1), "Bad file descriptor"),
    ):
        with pytest.raises(OSError) as error:
            act()
        assert in_words(error.value) == words
    with pytest.raises(OSError) as error:
        gone.read_bytes()
    assert in_words(error.value, gone) == "No such file or directory"
    assert in_words(UsageError("mine")) == "mine" and in_words(TimeoutError()) == "TimeoutError"
