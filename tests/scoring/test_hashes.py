"""A file that was hashed is not hashed again; a file that was touched in any way is."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from harness.errors import GymboardError
from scoring.build import build_leaderboard
from scoring.facts.hashes import SETTLED_NS, Hashes
from tests.scoring.conftest import COMMITTED

CAP = 1000


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that is already settled when it is made."""
    monkeypatch.setattr("scoring.facts.hashes.SETTLED_NS", 0)
    file = tmp_path / "bundle.json"
    file.write_bytes(b"honest")
    return file


def look(file: Path, keep: Path) -> tuple[str, int]:
    """The digest, and how many files had to be read for it."""
    hashes = Hashes(keep)
    found = hashes.sha256(str(file), CAP, memoryview(bytearray(CAP + 1)))
    hashes.save()
    return found, hashes.hashed


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_unchanged_file_is_read_once(file: Path, tmp_path: Path) -> None:
    keep = tmp_path / "cache" / "hashes.json"
    assert look(file, keep) == (digest(b"honest"), 1)
    assert look(file, keep) == (digest(b"honest"), 0)


def test_another_content_of_the_same_size_and_time_is_seen(file: Path, tmp_path: Path) -> None:
    keep = tmp_path / "hashes.json"
    look(file, keep)
    before = file.stat()
    file.write_bytes(b"forged")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert look(file, keep) == (digest(b"forged"), 1)
    other = tmp_path / "other"
    other.write_bytes(b"FORGED")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert look(file, keep) == (digest(b"FORGED"), 1)


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path) -> None:
    assert SETTLED_NS >= 1_000_000_000
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"now")
    assert look(fresh, tmp_path / "hashes.json")[1] == 1
    assert look(fresh, tmp_path / "hashes.json")[1] == 1


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data.replace(b"bundle", b"bungle"), lambda data: b""]
)
def test_a_damaged_memory_is_no_memory(file: Path, tmp_path: Path, damage: object) -> None:
    keep = tmp_path / "hashes.json"
    look(file, keep)
    assert callable(damage)
    keep.write_bytes(damage(keep.read_bytes()))
    assert look(file, keep) == (digest(b"honest"), 1)


def test_a_link_in_its_place_is_refused(file: Path, tmp_path: Path) -> None:
    keep = tmp_path / "hashes.json"
    look(file, keep)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to("elsewhere")
    with pytest.raises(GymboardError, match="not a regular file"):
        look(file, keep)


def test_a_board_notices_every_change(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GYMBOARD_HOME", str(tmp_path / "home"))
    board = tmp_path / "submissions"
    shutil.copytree(COMMITTED, board)
    first = build_leaderboard(board)
    assert build_leaderboard(board) == build_leaderboard(board) == first
    bundle = board / "gpt-4o-mlgym" / "bundle.json"
    before = bundle.stat()
    bundle.write_bytes(bundle.read_bytes().replace(b'"steps": 5', b'"steps": 4', 1))
    os.utime(bundle, ns=(before.st_atime_ns, before.st_mtime_ns))
    changed = build_leaderboard(board)
    assert [rejection.folder for rejection in changed.rejections] == ["gpt-4o-mlgym"]
