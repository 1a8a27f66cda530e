"""A run's folder that cannot be used is refused at the start, with what to do, and stays as it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.files import ROOM_BYTES
from tests.conftest import lacking
from tests.harness.executors.side import Side


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("field", "other"),
    [("harness_version", "0.0.9"), ("harness_commit", "0" * 40), ("tasks_sha256", {"house-price": "0" * 64})],
)
def test_a_run_of_another_suite(tmp_path: Path, field: str, other: object) -> None:
    side = Side(tmp_path, seeds=1)
    assert side.end(None)[0] == 0
    file = side.run / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {field: other}))
    before = tree(side.run)
    for more in (("--resume",), ("--resume", "--jobs", "2"), ("--only", "house-price/seed-0")):
        code, said = side.end(None, *more)
        assert (code, f"another {field}" in said, "another --run name" in said) == (2, True, True), said
    assert tree(side.run) == before


def test_a_run_json_that_is_none(tmp_path: Path) -> None:
    side = Side(tmp_path, seeds=1)
    side.run.mkdir(parents=True)
    (side.run / "run.json").write_text('{"schema_version": 1')
    code, said = side.end(None, "--resume", "--jobs", "2")
    assert code == 1 and "run.json" in said and "Traceback" not in said, said


@pytest.mark.parametrize(
    ("options", "said"), [(f"size={ROOM_BYTES // 2}", "free some"), ("ro", "nothing can be written")]
)
def test_a_disk_without_room_or_permission(tmp_path: Path, options: str, said: str) -> None:
    disk = tmp_path / "runs"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        lacking("a disk", "one can be mounted by root only")
    try:
        for jobs in ("1", "2"):
            code, told = Side(tmp_path, seeds=1).end(None, "--jobs", jobs)
            assert (code, said in told, "--runs DIR" in told) == (2, True, True), told
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)
