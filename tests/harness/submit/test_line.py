"""A submission from end to end at a GitHub on loopback: what arrives, what a second call changes and leaves alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.check import check
from harness.signing import Signers
from harness.submit.text import MARK
from harness.verify import verify
from tests.harness.submit.conftest import Submitter
from tests.harness.submit.github import BOARD, Account, Fault, GitHub, ref

FORK, BRANCH = "ada/gymboard", "submit-tiny-entry"


def commits(submitter: Submitter) -> list[str]:
    """Those of the pull request's branch that the board does not have."""
    return submitter.github.store.git("rev-list", f"{ref(BOARD)}..{ref(FORK, BRANCH)}").split()


def test_a_signed_entry_becomes_one_commit_of_one_folder_in_one_pull_request(submitter: Submitter) -> None:
    done = submitter.submit()
    github = submitter.github
    assert (done.number, done.what) == (1, "opened")
    assert github.violations == []
    assert len(commits(submitter)) == 1
    names = {f"submissions/tiny-entry/{file.name}" for file in submitter.entry.iterdir()}
    assert set(submitter.files(ref(FORK, BRANCH))) - set(submitter.files(ref(BOARD))) == names
    [pull] = github.pulls
    assert (pull["head"], pull["base"], pull["state"]) == (f"ada:{BRANCH}", "main", "open")
    assert github.comments == []


def test_what_arrives_is_byte_for_byte_what_was_signed(submitter: Submitter, tmp_path: Path) -> None:
    submitter.submit()
    arrived = submitter.github.merged(1, tmp_path / "merged") / "submissions" / "tiny-entry"
    assert {file.name: file.read_bytes() for file in arrived.iterdir()} == {
        file.name: file.read_bytes() for file in submitter.entry.iterdir()
    }
    assert verify(arrived, Signers.read(submitter.key.with_suffix(".pub"))).principal == "github:1234"
    assert [one for one in check(arrived, root=submitter.tasks) if one.severity == "error"] == []
    assert (tmp_path / "merged" / "README.md").read_text() == "board\n", "nothing else changes"


def test_the_text_states_the_entry_its_claims_and_the_checklist(submitter: Submitter) -> None:
    submitter.submit()
    text = submitter.github.pulls[0]["body"]
    digest = submitter.proposal().bundle_sha256
    assert all(part in text for part in ("`baseline` `1.0.0`", "none was called", digest, "- [ ] No person helped"))
    assert "| `tiny-predictions` | `rmse` | 0.75, - | 1 of 2 | 1 |" in text
    assert "| `tiny-play` | `score` | 2.5, - | 1 of 2 | 3 |" in text


def test_the_same_call_again_changes_nothing(submitter: Submitter) -> None:
    submitter.submit()
    before, pulls = commits(submitter), len(submitter.github.pulls)
    assert submitter.submit().what == "unchanged"
    assert (commits(submitter), len(submitter.github.pulls), submitter.github.comments) == (before, pulls, [])


def test_a_changed_entry_updates_the_same_pull_request_and_says_so(submitter: Submitter) -> None:
    submitter.submit()
    before = commits(submitter)
    pull = submitter.github.pulls[0]
    pull["body"] = "Hello.\n" + pull["body"].replace("- [ ] No person", "- [x] No person") + "Thanks."
    submitter.change()
    done = submitter.submit()
    assert (done.number, done.what) == (1, "updated")
    after = commits(submitter)
    assert len(after) == 1
    assert after != before
    digest = submitter.proposal().bundle_sha256
    assert submitter.github.comments == [(1, f"Submitted anew: `bundle.json` now has the sha256 `{digest}`.")]
    assert digest in pull["body"]
    assert pull["body"].count(MARK) == 1
    assert pull["body"].startswith("Hello.\n<!--")
    assert "- [x] No person" in pull["body"], "what the submitter ticked stays"
    assert pull["body"].endswith("Thanks.")
    assert submitter.github.violations == []


def test_a_part_that_is_no_longer_there_leaves_the_branch_too(submitter: Submitter) -> None:
    submitter.submit()
    [part] = submitter.entry.glob("tiny-play*")
    branch = ref(FORK, BRANCH)
    submitter.github.store.put(branch, {"submissions/tiny-entry/left.over": b"x"})
    submitter.submit()
    names = {Path(name).name for name in submitter.files(branch)}
    assert part.name in names
    assert "left.over" not in names


def test_an_old_fork_gets_the_same_one_commit(submitter: Submitter) -> None:
    github = submitter.github
    github.repos[FORK] = BOARD
    github.store.set_ref(ref(FORK), github.store.ref(ref(BOARD)))
    github.store.put(ref(BOARD), {".github/workflows/ci.yml": b"new\n"})
    github.store.put(ref(FORK), {"mine.txt": b"my own work on main\n"})
    submitter.submit()
    changed = github.store.git("diff", "--name-only", f"{ref(BOARD)}...{ref(FORK, BRANCH)}").split()
    assert len(commits(submitter)) == 1
    assert {str(Path(name).parent) for name in changed} == {"submissions/tiny-entry"}


def test_the_boards_owner_needs_no_fork(submitter: Submitter) -> None:
    github = submitter.github
    account = Account("gymboard", 1234, "ghp_owner", keys=submitter.account.keys)
    github.accounts = {"gymboard": account}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", "ghp_owner")
        assert submitter.submit().what == "opened"
    assert list(github.repos) == [BOARD]
    assert github.pulls[0]["head"] == f"gymboard:{BRANCH}"


def test_a_clone_of_the_own_fork_names_the_board_too(submitter: Submitter) -> None:
    submitter.github.repos[FORK] = BOARD
    submitter.github.store.set_ref(ref(FORK), submitter.github.store.ref(ref(BOARD)))
    assert submitter.submit(board=FORK).url.endswith(f"/{BOARD}/pull/1")


def test_an_entry_that_was_merged_can_be_changed(submitter: Submitter) -> None:
    github = submitter.github
    submitter.submit()
    github.merge(1)
    github.store.set_ref(ref(FORK), github.store.ref(ref(BOARD)))
    submitter.change()
    done = submitter.submit()
    assert (done.number, done.what) == (2, "opened")
    assert github.merged(2, submitter.entry.parent / "second").is_dir(), "it merges without a conflict"


LOCATION = "{web}/ada/gymboard/releases/download/tiny-entry"


def test_parts_with_an_address_in_the_fork_are_uploaded_and_not_committed(submitter: Submitter) -> None:
    github = submitter.github
    submitter.pack(location=LOCATION.format(web=github.web))
    submitter.submit()
    assert {name.rpartition("/")[2] for name in submitter.files(ref(FORK, BRANCH))} == {
        *("README.md", "ledger.jsonl", "bundle.json", "bundle.json.sig")
    }
    assert {one["name"]: one["data"] for one in github.assets.values()} == {
        file.name: file.read_bytes() for file in submitter.entry.glob("*.tar.zst")
    }
    assert [one["draft"] for one in github.releases[FORK]] == [False]
    assert github.violations == [], "in particular, no download carried the token"
    github.calls.clear()
    assert submitter.submit().what == "unchanged"
    assert not [call for call in github.calls if "uploads" in call]


def test_an_upload_that_broke_off_is_finished_by_the_next_call(submitter: Submitter) -> None:
    github = submitter.github
    submitter.pack(location=LOCATION.format(web=github.web))
    github.faults.append(Fault("POST", "/assets$", after=1, cut=True))
    with pytest.raises(Exception, match="run the same command again"):
        submitter.submit()
    assert [one["draft"] for one in github.releases[FORK]] == [True], "not published half"
    assert submitter.submit().what == "opened"
    assert len(github.releases[FORK]) == 1
    assert len(github.assets) == 2


@pytest.mark.parametrize("digests", [True, False])
def test_another_file_under_the_parts_name_is_replaced(submitter: Submitter, digests: bool) -> None:
    github = submitter.github
    github.digests = digests
    submitter.pack(location=LOCATION.format(web=github.web))
    submitter.submit()
    one = next(iter(github.assets.values()))
    right = one["data"]
    one["data"] = b"x" * (len(right) if digests else len(right) + 1)
    submitter.submit()
    assert {one["data"] for one in github.assets.values()} == {
        file.read_bytes() for file in submitter.entry.glob("*.tar.zst")
    }


def test_the_merged_tree_passes_the_boards_own_preview(submitter: Submitter, tmp_path: Path) -> None:
    """The workflow's step on the tree that GitHub would check out, with a command that only says how it was called."""
    github: GitHub = submitter.github
    ours = github.store.checkout(ref(BOARD), tmp_path / "board")
    submitter.submit()
    theirs = github.merged(1, tmp_path / "proposed")
    root = Path(__file__).resolve().parents[3]
    (ours / ".ci").mkdir()
    (ours / ".ci" / "preview").write_bytes((root / ".ci" / "preview").read_bytes())
    command = ours / ".venv" / "bin" / "gymboard"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\necho "$1 ${2##*/}"\n')
    command.chmod(0o755)
    words = ["bash", ours / ".ci/preview", ours / "submissions", theirs / "submissions", "signers"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "ledger recall",
            "== submissions/tiny-entry",
            "fetch tiny-entry",
            "verify tiny-entry",
            "check tiny-entry",
            "regrade tiny-entry",
        ],
    )
