"""A file is replaced whole, and not through a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.files import replace_file


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
