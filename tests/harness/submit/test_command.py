"""`gymboard submit` as a program: what it prints, its exit codes; a dry run needs neither token nor network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.pack import pack
from harness.signing import sign
from tests.harness.sign.builder import ENTRY
from tests.harness.submit.conftest import TOKEN, Submitter
from tests.harness.submit.github import BOARD

ROOT = Path(__file__).resolve().parents[3]
OWN = ROOT / "submissions" / "gpt-4o-mlgym"


def called(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    place = os.environ | {"PYTHONPATH": str(ROOT), "GITHUB_TOKEN": ""} | environment
    command = [sys.executable, "-m", "gymboard", "submit", *map(str, words)]
    return subprocess.run(command, env=place, capture_output=True, text=True, check=False)


def test_a_refused_entry_ends_with_every_problem_and_asks_nobody(submitter: Submitter) -> None:
    """The tasks of the fixture are not the suite's."""
    done = called(submitter.entry, "--board", BOARD, "--github-url", submitter.github.web, GITHUB_TOKEN=TOKEN)
    assert done.returncode == 1
    assert "GB103" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert submitter.github.calls == []


def test_a_folder_that_is_not_there_is_a_wrong_call() -> None:
    done = called("submissions/typo", "--board", BOARD, "--dry-run")
    assert (done.returncode, "submissions/typo" in done.stderr) == (2, True)


def test_no_token_is_said_before_anything_else_is_shown(submitter: Submitter, tmp_path: Path) -> None:
    words = (submitter.entry, "--board", BOARD, "--github-url", submitter.github.web, "--tasks-root", submitter.tasks)
    done = called(*words, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "no token" in done.stderr and "where it would land" not in done.stdout


def test_a_server_that_is_not_there_is_one_plain_sentence(submitter: Submitter) -> None:
    words = (submitter.entry, "--board", BOARD, "--github-url", "https://localhost:1", "--tasks-root", submitter.tasks)
    done = called(*words, "--submissions", "nowhere", GITHUB_TOKEN=TOKEN)
    assert done.returncode == 1
    said = "Failed to establish a new connection: [Errno 111] Connection refused; run the same command again"
    assert f"the connection to localhost:1 broke: {said}" in done.stderr


def test_an_import_is_nobodys_to_submit() -> None:
    done = called(OWN, "--board", BOARD, "--dry-run")
    assert done.returncode == 2
    assert "sign it first" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--github-url", "http://github.com"], "no address of a GitHub server"),
        (["--board", "gymboard"], "OWNER/NAME"),
    ],
)
def test_wrong_words(words: list[str], said: str) -> None:
    done = called(OWN, *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_dry_run_prints_it_all_and_asks_nobody(submitter: Submitter) -> None:
    done = called(submitter.entry, "--board", BOARD, "--tasks-root", submitter.tasks, "--dry-run", PATH="/usr/bin:/bin")
    assert done.returncode == 0, done.stderr
    assert "acceptable: 0 error(s)" in done.stdout
    for file in submitter.entry.iterdir():
        assert f"committed: submissions/tiny-entry/{file.name} ({file.stat().st_size:,} bytes)" in done.stdout
    assert submitter.proposal().bundle_sha256 in done.stdout
    assert "- [ ] No person helped an episode." in done.stdout
    assert submitter.github.calls == []


def test_the_command_opens_the_pull_request_and_renews_it(submitter: Submitter, tmp_path: Path) -> None:
    words = (submitter.entry, "--board", BOARD, "--github-url", submitter.github.web, "--tasks-root", submitter.tasks)
    done = called(*words, GITHUB_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"pull request 1 opened: {submitter.github.web}/{BOARD}/pull/1\n")
    assert called(*words, GITHUB_TOKEN=TOKEN).stdout.splitlines()[-1].startswith("pull request 1 unchanged")
    refused = called(*words, GITHUB_TOKEN="")
    assert (refused.returncode, "no token" in refused.stderr) == (2, True)
    assert submitter.github.violations == []


def test_an_entry_of_nobody_is_not_submitted(submitter: Submitter) -> None:
    for file in submitter.entry.iterdir():
        file.unlink()
    pack(submitter.run, submitter.entry, ENTRY, "local", tasks=submitter.tasks)
    sign(submitter.entry, submitter.key)
    done = called(submitter.entry, "--board", BOARD, "--tasks-root", submitter.tasks, "--dry-run")
    assert (done.returncode, "--submitter github:" in done.stderr) == (2, True)


def test_what_cannot_be_ranked_is_said_and_submitted_all_the_same(submitter: Submitter) -> None:
    """The fixture has none of the suite's tasks."""
    words = (submitter.entry, "--board", BOARD, "--tasks-root", submitter.tasks, "--dry-run")
    done = called(*words, "--submissions", ROOT / "submissions")
    assert "where it would land is not shown; this keeps nothing" in done.stdout
    assert "no folder" in called(*words, "--submissions", "nowhere").stdout


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "github3.py").write_text("raise ModuleNotFoundError(\"No module named 'github3'\", name='github3')\n")
    done = called(OWN, "--board", BOARD, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert (done.returncode, done.stderr) == (
        2,
        "gymboard: github3 is not installed; `pip install gymboard[submit]` brings it\n",
    )
