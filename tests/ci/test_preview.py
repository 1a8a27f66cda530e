""".ci/preview on a stranger's submissions folder: which entries it hands to gymboard, and what it refuses itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.check import RULES
from harness.check.pull import PULL_RULES

ROOT = Path(__file__).resolve().parents[2]

# Stands in for the command: notes how it was called, and fails for what the entry's bundle.json names.
COMMAND = """#!/bin/sh
case $1 in ledger) exit 0 ;; esac
case $*  in *--json) echo '{}' && exit 0 ;; esac
echo "$1 ${2##*/}" >>"$CALLS"
case $(cat "$2/bundle.json") in *"$1"*) echo "error: $1"; echo "::set-output name=x::y"; exit 1 ;; esac
"""


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
        words = ["board/.ci/preview", "board/submissions", "proposed/submissions", "allowed_signers", "found"]
        environ = {**os.environ, "CALLS": str(calls), "GITHUB_ACTIONS": "true"}
        done = subprocess.run(words, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


@pytest.mark.parametrize("name", ["new-entry", "second"])
def test_only_what_differs_is_fetched_verified_checked_and_regraded(board: Board, name: str) -> None:
    board.propose(name, "changed")
    code, _, calls = board.preview()
    assert (code, calls) == (0, [f"{verb} {name}" for verb in ("fetch", "verify", "check", "regrade")])


def test_one_pull_request_is_one_entry(board: Board) -> None:
    board.propose("new-entry")
    board.propose("second", "changed")
    code, out, calls = board.preview()
    assert (code, calls) == (1, [])
    assert "GB406 2 entries differ" in out


@pytest.mark.parametrize("fault", ["fetch", "verify", "check"])
def test_nothing_is_executed_for_a_bundle_that_does_not_hold(board: Board, fault: str) -> None:
    board.propose("bad", fault)
    code, _, calls = board.preview()
    assert (code, calls) == (1, ["fetch bad", "verify bad", "check bad"])


def test_what_it_found_is_left_for_the_comment(board: Board) -> None:
    board.propose("new-entry")
    board.preview()
    assert sorted(path.name for path in (board.folder / "found/new-entry").iterdir()) == ["bundle.json", "check.json"]


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
    assert "GB401 submissions/ledger.jsonl: only a job on main" in out
    assert "GB402 submissions/first: an entry is removed by a maintainer" in out


@pytest.mark.parametrize("change", ["changed", "new", "removed", "linked"])
def test_the_files_of_verdicts_are_not_the_submitters(board: Board, change: str) -> None:
    for root in (board.ours, board.theirs):
        (root / "ledger.d").mkdir()
        (root / "ledger.d" / "a.json").write_text("{}")
    board.propose("new-entry")
    assert board.preview()[0] == 0, "the folder alone is no fault"
    theirs = board.theirs / "ledger.d"
    if change == "new":
        (theirs / "b.json").write_text("{}")
    elif change == "changed":
        (theirs / "a.json").write_text("{ }")
    else:
        shutil.rmtree(theirs)
        if change == "linked":
            theirs.symlink_to(board.ours / "ledger.d")
    code, out, _ = board.preview()
    assert code == 1
    assert "GB401 submissions/ledger.d" in out


def test_an_entry_is_changed_by_its_own_submitter_only(board: Board) -> None:
    for root in (board.ours, board.theirs):
        board.put(root, "first", '{\n "origin": "run",\n "submitter": "github:1"\n}\n')
    board.propose("first", '{\n "origin": "run",\n "sandbox": "docker",\n "submitter": "github:1"\n}\n')
    assert board.preview()[0] == 0
    board.propose("first", '{\n "origin": "run",\n "submitter": "github:2"\n}\n')
    (board.folder / "calls").unlink()
    code, out, calls = board.preview()
    assert (code, calls) == (1, [])
    assert "GB404 submissions/first: the entry is another submitter's" in out


@pytest.mark.parametrize("name", ["Upper", "a b", "-rf", "$(touch owned)", "a\nb", ".hidden", "a--b"])
def test_a_folder_without_an_entry_id_is_refused(board: Board, name: str) -> None:
    board.propose(name)
    code, out, calls = board.preview()
    assert (code, calls) == (1, [])
    assert "GB403" in out and "not a folder with an entry id" in out
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
    assert "GB405 no entry under submissions/ differs" in out


def test_every_code_that_a_script_prints_is_on_the_page() -> None:
    printed = {
        code for name in ("preview", "touched") for code in re.findall(r"GB\d{3}", (ROOT / ".ci" / name).read_text())
    }
    assert printed == {rule.code for rule in PULL_RULES}
    assert not printed & RULES.keys()


def repository(folder: Path, changes: dict[str, str]) -> Path:
    """A checkout of a merge commit whose first parent is the base."""

    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(folder), *words]
        subprocess.run(command, check=True, capture_output=True)

    folder.mkdir()
    git("init", "--quiet", "--initial-branch", "main")
    git("commit", "--quiet", "--allow-empty", "--message", "base")
    git("checkout", "--quiet", "-b", "theirs")
    for name, text in changes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "change")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "theirs", "--message", "merge")
    return folder


@pytest.mark.parametrize(
    "name",
    [".github/workflows/submission.yml", "tasks/house-price/task.toml", "$(touch owned)", "a\nb", ".gitattributes"],
)
def test_a_submission_that_changes_more_is_named(tmp_path: Path, name: str) -> None:
    place = repository(tmp_path / "proposed", {"submissions/mine/bundle.json": "{}", name: "* diff=evil"})
    done = subprocess.run([ROOT / ".ci/touched", place], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.count("GB407") == 1 and len(done.stdout.splitlines()) == 1
    assert not list(tmp_path.rglob("owned"))


def test_a_submission_that_changes_its_folder_alone_is_let_through(tmp_path: Path) -> None:
    place = repository(tmp_path / "proposed", {"submissions/mine/bundle.json": "{}"})
    subprocess.run([ROOT / ".ci/touched", place], cwd=tmp_path, check=True)
