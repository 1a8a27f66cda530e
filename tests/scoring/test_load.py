"""One bad folder is rejected with its reasons and stops nobody else."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UsageError, VerificationError
from scoring.inclusion import include_entry
from scoring.load import MAX_BUNDLE_BYTES, load_submissions
from tests.scoring.conftest import COMMITTED

GOOD = "gpt-4o-mlgym"


def edit(file: Path, old: bytes, new: bytes) -> None:
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new, 1))


def giant(folder: Path) -> None:
    os.truncate(folder / "bundle.json", MAX_BUNDLE_BYTES + 1)


def linked(folder: Path) -> None:
    (folder / "bundle.json").rename(folder / "elsewhere.json")
    (folder / "bundle.json").symlink_to("elsewhere.json")


def fifo(folder: Path) -> None:
    (folder / "bundle.json").unlink()
    os.mkfifo(folder / "bundle.json")


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda f: (f / "bundle.json").write_bytes(b""), "not acceptable JSON"),
    "missing": (lambda f: (f / "bundle.json").unlink(), "missing or not a regular file"),
    "giant": (giant, "at most"),
    "link": (linked, "not a regular file"),
    "fifo": (fifo, "not a regular file"),
    "nan": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": NaN, "x": '), "not a finite number"),
    "infinity": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": 1e999, "x": '), "not a finite number"),
    "twice": (lambda f: edit(f / "bundle.json", b'"Score": ', b'"Score": 1, "Score": '), "appears twice"),
    "stranger": (lambda f: edit(f / "bundle.json", b'"audit"', b'"aup": 9, "audit"'), "aup"),
    "other-form": (lambda f: edit(f / "bundle.json", b"\n", b"\n\n"), "canonical form"),
    "impostor": (lambda f: edit(f / "bundle.json", b'"submitter": "gymboard"', b'"submitter": "github:7"'), "import"),
    "invented": (
        lambda f: edit(f / "bundle.json", b'"steps": ', b'"steps": 1'),
        "no inclusion of exactly these bytes",
    ),
    "not-utf-8": (lambda f: (f / "bundle.json").write_bytes(b"\xff\xfe{}"), "not acceptable JSON|UTF-8|utf-8"),
}


@pytest.mark.parametrize("fault", sorted(HOSTILE))
def test_a_bad_entry_is_rejected_alone(submissions: Path, fault: str) -> None:
    for name in (GOOD, "gemini-1-5-pro-mlgym"):
        shutil.copytree(COMMITTED / name, submissions / name)
    shutil.copy(COMMITTED / "ledger.jsonl", submissions)
    spoil, reason = HOSTILE[fault]
    spoil(submissions / GOOD)
    loaded = load_submissions(submissions)
    assert [one.bundle.entry.id for one in loaded.entries] == ["gemini-1-5-pro-mlgym"]
    [(folder, reasons)] = loaded.rejections
    assert folder == GOOD
    assert re.search(reason, " ".join(reasons)), reasons


def test_an_import_is_shown_once_it_is_included(submissions: Path) -> None:
    for name in (GOOD, "gemini-1-5-pro-mlgym"):
        shutil.copytree(COMMITTED / name, submissions / name)
    assert len(load_submissions(submissions).entries) == 2, "without a ledger the folder is private: imports are shown"
    include_entry(submissions, GOOD, "Checked against the published files.")
    assert [one.bundle.entry.id for one in load_submissions(submissions).entries] == [GOOD]
    include_entry(submissions, "gemini-1-5-pro-mlgym", "Checked as well.")
    assert len(load_submissions(submissions).entries) == 2
    with pytest.raises(UsageError, match="no-such-entry"):
        include_entry(submissions, "no-such-entry", "Why not.")


def test_folders_that_are_not_what_they_say(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / "another-name")
    (submissions / "a-link").symlink_to(COMMITTED / GOOD)
    (submissions / "README.md").write_text("no entry\n")
    (submissions / ".hidden").mkdir()
    reasons = dict(load_submissions(submissions).rejections)
    assert set(reasons) == {"another-name", "a-link"}
    assert "rename the folder" in reasons["another-name"][0]
    assert "not a plain folder" in reasons["a-link"][0]


def test_every_reason_is_given(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / GOOD)
    edit(submissions / GOOD / "bundle.json", b'"profile": "official"', b'"profile": "tiny"')
    edit(submissions / GOOD / "bundle.json", b'"schema_version": 1', b'"schema_version": 2')
    [(_, reasons)] = load_submissions(submissions).rejections
    assert len(reasons) > 1


def test_a_broken_ledger_stops_everything(submissions: Path) -> None:
    shutil.copytree(COMMITTED / GOOD, submissions / GOOD)
    (submissions / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(VerificationError, match="ledger"):
        load_submissions(submissions)


def test_no_folder_is_an_empty_board(tmp_path: Path) -> None:
    loaded = load_submissions(tmp_path / "nowhere")
    assert (loaded.entries, loaded.rejections) == ((), ())
