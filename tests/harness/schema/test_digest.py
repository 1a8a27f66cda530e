"""A folder's digest covers names and bytes, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import DataError
from harness.schema.digest import file_sha256, folder_sha256


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


FILES = {"task.toml": b"id", "grader/referee.py": b"pass", "starter/ünï.py": b""}


def test_what_does_not_matter(tmp_path: Path) -> None:
    first = folder(tmp_path / "a", FILES)
    second = folder(tmp_path / "b", dict(reversed(FILES.items())))
    (second / "task.toml").chmod(0o755)
    os.utime(second / "task.toml", (1, 1))
    (second / "empty").mkdir()
    folder(second, {"__pycache__/x.pyc": b"1", "grader/__pycache__/y.pyc": b"2"})
    assert folder_sha256(first) == folder_sha256(second)


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "task.toml": b"iD"},
        {**FILES, "extra": b""},
        {"task.toml": b"id", "grader/referee.pz": b"pass", "starter/ünï.py": b""},
        {"task.toml": b"", "grader/referee.py": b"pass", "starter/ünï.py": b"id"},
        {"task.tomlgrader": b"", "referee.py": b"idpass", "starter/ünï.py": b""},
    ],
)
def test_what_matters(tmp_path: Path, files: dict[str, bytes]) -> None:
    assert folder_sha256(folder(tmp_path / "a", FILES)) != folder_sha256(folder(tmp_path / "b", files))


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    linked, piped = folder(tmp_path / "a", FILES), folder(tmp_path / "b", FILES)
    (linked / "link").symlink_to("/etc/passwd")
    os.mkfifo(piped / "pipe")
    for place in (linked, piped):
        with pytest.raises(DataError, match="regular files only"):
            folder_sha256(place)
    with pytest.raises(DataError, match="there is none"):
        folder_sha256(tmp_path / "absent")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert file_sha256(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
