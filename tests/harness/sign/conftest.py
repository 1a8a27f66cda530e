"""Fixtures: task folders, a run on disk, and the bundle packed and signed from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pack import pack
from harness.schema.digest import folder_sha256
from harness.signing import Signers, make_demo_key, sign
from tests.harness.sign.builder import ENTRY, SUBMITTER, Signed, write_run, write_tasks


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return write_tasks(tmp_path / "tasks")


@pytest.fixture
def run(tmp_path: Path, tasks: Path) -> Path:
    digests = {folder.name: folder_sha256(folder) for folder in tasks.iterdir()}
    return write_run(tmp_path / "runs" / "tiny-run", tasks_sha256=digests)


@pytest.fixture
def signed(tmp_path: Path, tasks: Path, run: Path) -> Signed:
    folder = tmp_path / "tiny-entry"
    bundle = pack(run, folder, ENTRY, SUBMITTER, tasks=tasks)
    key = make_demo_key(tmp_path / "keys")
    sign(folder, key)
    return Signed(tasks, run, folder, key, Signers.read(key.with_suffix(".pub")), bundle)
