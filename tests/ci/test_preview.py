""".ci/preview on a stranger's submissions folder: which entries it hands to gymboard, and what it refuses itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for the command: notes how it was called, and fails for what the entry's bundle.json names.
COMMAND = """#!/bin/sh
echo "$1 ${2##*/}" >>"$CALLS"
case $(cat "$2/bundle.json") in *"$1"*) echo "error: $1"; echo "::set-output name=x::y"; exit 1 ;; esac
"""


VERBS = ("fetch", "verify", "check", "regrade")


class Board:
    """A board with two entries and a ledger, and a proposal that starts as its copy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ours, self.theirs = folder, folder / "board/submissions", folder / "proposed/submissions"
        command = folder / "board/.venv/bin/gymboard"
        for made in (command.parent, folder / "board/.ci", self.ours):
            made.mkdir(parents=True)
        shutil.copy(ROOT / ".ci/preview", folder / "board/.ci/preview")
        command.write_text(COMMAND)
        command.chmod(0o755)
        self.put(self.ours, "first", "fine")
        self.put(self.ours, "second", "fine")
        (self.ours / "ledger.jsonl").write_text("line\n")
        shutil.copytree(self.ours, self.theirs)

    def put(self, root: Path, name: str, content: str) -> None:
        (root / name).mkdir(exist_ok=True)
        (root / name / "bundle.json").write_text(content)

    def propose(self, name: str, content: str = "fine") -> None:
        self.put(self.theirs, name, content)

    def preview(self) -> tuple[int, str, list[str]]:
        calls = self.folder / "calls"
        words = ["board/.ci/preview", "board/submissions", "proposed/submissions", "allowed_signers"]
        environ = {**os.environ, "CALLS": str(calls), "GITHUB_ACTIONS": "true"}
        done = subprocess.run(words, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_only_what_differs_is_verified_checked_and_regraded(board: Board) -> None:
    board.propose("new-entry")
    board.propose("second", "changed")
    code, _, calls = board.preview()
    expected = [f"{verb} {name}" for name in ("new-entry", "second") for verb in VERBS]
    assert (code, calls) == (0, expected)


@pytest.mark.parametrize("fault", ["fetch", "verify", "check"])
def test_nothing_is_executed_for_a_bundle_that_does_not_hold(board: Board, fault: str) -> None:
    board.propose("bad", fault)
    board.propose("good")
    code, _, calls = board.preview()
    assert code == 1
    assert calls == ["fetch bad", "verify bad", "check bad", *(f"{verb} good" for verb in VERBS)]


def test_what_is_printed_cannot_command_github(board: Board) -> None:
    board.propose("bad", "verify")
    _, out, _ = board.preview()
    lines = out.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 64
    assert lines.index("::set-output name=x::y") < lines.index(f"::{token}::") == len(lines) - 1


def test_the_ledger_and_other_entries_are_not_the_submitters(board: Board) -> None:
    board.propose("new-entry")
    (board.theirs / "ledger.jsonl").write_text("line\nregraded: me\n")
    shutil.rmtree(board.theirs / "first")
    code, out, _ = board.preview()
    assert code == 1
    assert "ledger.jsonl: only the publishing job" in out
    assert "submissions/first: an entry is removed by a maintainer" in out


def test_an_entry_is_changed_by_its_own_submitter_only(board: Board) -> None:
    for name in ("first", "second"):
        board.put(board.ours, name, '{\n "origin": "run",\n "submitter": "github:1"\n}\n')
    board.propose("first", '{\n "origin": "run",\n "sandbox": "docker",\n "submitter": "github:1"\n}\n')
    board.propose("second", '{\n "origin": "run",\n "submitter": "github:2"\n}\n')
    code, out, calls = board.preview()
    assert (code, calls) == (1, [*(f"{verb} first" for verb in VERBS), "fetch second", "verify second"])
    assert "submissions/second: the entry is another submitter's" in out


@pytest.mark.parametrize("name", ["Upper", "a b", "-rf", "$(touch owned)", "a\nb", ".hidden", "a--b"])
def test_a_folder_without_an_entry_id_is_refused(board: Board, name: str) -> None:
    board.propose(name)
    code, out, calls = board.preview()
    assert (code, calls) == (1, [])
    assert "not a folder with an entry id" in out
    assert not list(board.folder.rglob("owned"))


@pytest.mark.parametrize("target", ["entry", "ledger", "submissions"])
def test_links_are_refused(board: Board, target: str) -> None:
    place = {"entry": board.theirs / "linked", "ledger": board.theirs / "ledger.jsonl", "submissions": board.theirs}[
        target
    ]
    if target == "submissions":
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to({"entry": board.ours / "first", "ledger": board.ours / "ledger.jsonl"}.get(target, board.ours))
    code, _, calls = board.preview()
    assert (code, calls) == (1, [])


def test_a_proposal_that_changes_nothing_is_no_submission(board: Board) -> None:
    code, out, _ = board.preview()
    assert code == 1
    assert "no entry under submissions/ differs" in out
