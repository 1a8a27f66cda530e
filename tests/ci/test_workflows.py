"""The workflows' own steps, in order, on a fork's pull request: the same verdicts as the commands give by hand.

A real agent run in containers is packed, signed and proposed; preview, comment, merge, regrade and ledger follow.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.agents.scripted import ScriptedAgent
from harness.data import prepare
from harness.runner.run import RunPlan, run_episodes
from harness.sandbox import open_engine
from harness.schema.base import canonical_bytes
from harness.schema.steps import Action
from harness.schema.task import load_task, tasks_root
from harness.signing import make_demo_key
from scoring.facts.read import read_facts
from scoring.ledger import read_ledger
from tests.ci.actions import ROOT, STANDINS, Machine, workflow
from tests.harness.sign.builder import stock_sign

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, which GitHub's machines have"),
]
LOGIN, NUMBER, ENTRY = "ada", "1234", "tiny"


def gymboard(*words: object, cwd: Path) -> None:
    command = [sys.executable, "-m", "gymboard", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def git(place: Path, *words: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *who, "-C", str(place), *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode of the untouched starter, run in a container, packed and signed."""
    place = tmp_path_factory.mktemp("run")
    words = ("--agent", "baseline", "--tasks", "house-price", "--profile", "smoke", "--seeds", "1")
    gymboard("run", *words, "--sandbox", "docker", "--runs", place / "runs", "--run", "r", cwd=place)
    gymboard("pack", place / "runs" / "r", place / ENTRY, "--submitter", f"github:{NUMBER}", cwd=place)
    gymboard("sign", place / ENTRY, "--key", make_demo_key(place / "keys"), cwd=place)
    return place


class Board:
    """The board's repository (bare), a stand-in for GitHub's API, and one open pull request."""

    def __init__(self, folder: Path, packed: Path) -> None:
        self.folder, self.origin, self.github = folder, folder / "board" / "gymboard.git", folder / "github"
        self.work, self.artifacts, self.calls = folder / "work", folder / "artifacts", folder / "calls"
        self.key, self.runs = packed / "keys" / "demo_ed25519", 0
        shutil.copytree(packed / "keys", folder / "keys")
        (self.work / "submissions").mkdir(parents=True)
        self.github.mkdir()
        self.artifacts.mkdir()
        shutil.copytree(ROOT / ".ci", self.work / ".ci")
        (self.work / ".gitignore").write_text(".venv/\n")
        (self.work / "submissions" / "ledger.jsonl").write_text("")
        git(folder, "init", "--quiet", "--bare", "--initial-branch", "main", str(self.origin))
        git(self.work, "init", "--quiet", "--initial-branch", "main")
        self._commit("base")
        git(self.work, "push", "--quiet", str(self.origin), "main")
        keys = self.key.with_suffix(".pub").read_text()
        (self.github / f"{LOGIN}.keys").write_text(" ".join(keys.split()[:2]) + "\n")
        self.api(users={NUMBER: {"login": LOGIN}}, comments=[])

    def api(self, **documents: object) -> None:
        for name, document in documents.items():
            (self.github / f"{name}.json").write_text(json.dumps(document))

    def _commit(self, message: str) -> None:
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", message)

    def propose(self, packed: Path, change: Callable[[Path], None]) -> None:
        """A fork's branch, and GitHub's merge of it as the branch `pull`."""
        git(self.work, "checkout", "--quiet", "-b", "theirs")
        shutil.copytree(packed / ENTRY, self.work / "submissions" / ENTRY)
        change(self.work)
        self._commit("an entry")
        self.head = git(self.work, "rev-parse", "HEAD")
        names = git(self.work, "diff", "--name-only", "main", "theirs").splitlines()
        git(self.work, "checkout", "--quiet", "-b", "pull", "main")
        git(self.work, "merge", "--quiet", "--no-ff", "theirs", "--message", "merge")
        git(self.work, "push", "--quiet", str(self.origin), "pull")
        others = {"number": 3, "head": {"sha": "0" * 40}}
        self.api(
            pulls=[others, {"number": 7, "head": {"sha": self.head}}],
            files=[{"filename": name, "status": "added", "sha": "x"} for name in names],
            artifacts={"artifacts": []},
        )

    def machine(self, commit: str = "main") -> Machine:
        self.runs += 1
        values = {
            "github.token": "token",
            "github.repository": "board/gymboard",
            "github.server_url": f"file://{self.folder}",
            "github.event.pull_request.user.login": LOGIN,
            "github.event.pull_request.user.id": NUMBER,
            "github.event.workflow_run.head_sha": self.head,
            "github.event.workflow_run.id": "55",
        }
        place = self.folder / f"machine-{self.runs}"
        env = {"GITHUB": str(self.github), "BOARD": "board/gymboard", "CALLS": str(self.calls)}
        env |= {"CODE": str(ROOT), "PYTHON": sys.executable}
        found = Machine(place, self.origin, values, env, self.artifacts, commit)
        found.values["runner.temp"] = str(found.temp)
        return found

    def preview(self) -> tuple[str | None, str]:
        machine = self.machine("pull")
        failed = machine.run(workflow("submission")["jobs"]["preview"])
        if (self.artifacts / "preview").is_dir():
            shutil.make_archive(str(self.github / "preview"), "zip", self.artifacts / "preview")
            self.api(artifacts={"artifacts": [{"id": 99, "size_in_bytes": 1000}]})
        return failed, machine.log

    def comment(self) -> str:
        machine = self.machine()
        assert machine.run(workflow("comment")["jobs"]["comment"]) is None, machine.log
        [one] = json.loads((self.github / "comments.json").read_text())
        return str(one["body"])

    def merge(self) -> None:
        git(self.work, "push", "--quiet", str(self.origin), "pull:main")

    def regrade(self) -> tuple[str | None, str, str]:
        """(the step of `settle` that failed, both logs, how many waited)."""
        jobs, grade = workflow("regrade")["jobs"], self.machine()
        assert grade.run(jobs["grade"]) is None, grade.log
        waiting = grade.outputs["waiting.count"]
        if waiting == "0":
            return None, grade.log, waiting
        settle = self.machine()
        failed = settle.run(jobs["settle"])
        return failed, grade.log + settle.log, waiting

    def ledger(self) -> list[str]:
        git(self.work, "fetch", "--quiet", str(self.origin), "main")
        git(self.work, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        return [line.kind for line in read_ledger(self.work / "submissions" / "ledger.jsonl")]

    def level(self) -> str:
        with read_facts(self.work / "submissions") as facts:
            [(level,)] = facts.db.execute("SELECT level FROM entries").fetchall()
        return str(level)

    def called(self) -> set[str]:
        return {line.split()[0] for line in self.calls.read_text().splitlines()}


@pytest.fixture
def board(tmp_path: Path, packed: Path) -> Board:
    return Board(tmp_path, packed)


def test_an_honest_submission_goes_all_the_way_to_regraded(board: Board, packed: Path) -> None:
    board.propose(packed, lambda work: None)
    failed, log = board.preview()
    assert failed is None, log
    first = board.comment()
    assert "| house-price/seed-0 | 0 | `r2` |" in first and "0 claim(s) not found again" in first
    assert board.comment() == first, "the same comment is updated"
    board.merge()
    failed, log, waiting = board.regrade()
    assert (failed, waiting) == (None, "1"), log
    assert board.ledger() == ["inclusion", "regrade", "replay"], log
    assert board.level() == "replayed"
    assert board.regrade()[2] == "0", "nothing is drawn again"


def paste(place: Path) -> Path:
    """An agent whose one action writes the labels that anybody can look up, id by id, packed and signed."""
    folder = tasks_root() / "house-price"
    prepared = prepare(load_task(folder), folder, "smoke")
    assert prepared is not None
    with (prepared.grader / "labels.csv").open(newline="") as file:
        known = "".join(f"{row['id']},{row['SalePrice']}\n" for row in csv.DictReader(file))
    write = Action(kind="write", path="submission.csv", data=f"id,SalePrice\n{known}".encode())
    agent = ScriptedAgent("genius", [write, Action(kind="submit")])
    plan = RunPlan("r", place / "runs" / "r", ["house-price"], tasks_root(), [0], "smoke", lambda where, seed: agent)
    with open_engine("docker") as engine:
        assert [ended.failure for ended in run_episodes(plan, engine)] == [""]
    gymboard("pack", place / "runs" / "r", place / ENTRY, "--submitter", f"github:{NUMBER}", cwd=place)
    gymboard("sign", place / ENTRY, "--key", make_demo_key(place / "keys"), cwd=place)
    return place


def test_pasted_public_labels_are_regraded_and_fail_in_the_replay_on_main(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    pasted = paste(tmp_path / "run")
    board = Board(tmp_path, pasted)
    board.propose(pasted, lambda work: None)
    assert board.preview()[0] is None, "an artifact alone does not show where it comes from"
    board.merge()
    failed, log, _ = board.regrade()
    assert failed is None and "replay: 0 agree, 1 differ (house-price)" in log, log
    assert board.ledger() == ["inclusion", "regrade", "replay"] and board.level() == "regraded"
    [*_, line] = read_ledger(board.work / "submissions" / "ledger.jsonl")
    [found] = line.replays or ()
    assert (found.outcome, found.expected, found.found) == ("differs", 1.0, None), "fresh ids: not one row is known"
    assert board.regrade()[2] == "0", "nobody replays until it pleases"


def edit(work: Path, key: Path) -> None:
    """A better claim, signed again by its own submitter."""
    folder = work / "submissions" / ENTRY
    tree = json.loads((folder / "bundle.json").read_bytes())
    tree["episodes"][0]["attempts"][-1]["sealed"]["metrics"]["r2"] = 0.99
    (folder / "bundle.json").write_bytes(canonical_bytes(tree))
    stock_sign(folder, key)


def test_an_edited_score_is_seen_and_stays_signed_when_it_is_merged_all_the_same(board: Board, packed: Path) -> None:
    board.propose(packed, lambda work: edit(work, board.key))
    failed, log = board.preview()
    assert failed == "verify, check and regrade what changed", log
    assert "1 claim(s) not found again" in board.comment()
    board.merge()
    failed, log, _ = board.regrade()
    assert failed is None, log
    assert board.ledger() == ["inclusion", "downgrade"]
    assert board.regrade()[2] == "0", "another push draws no other seed"


def workflow_edit(work: Path) -> None:
    (work / ".github" / "workflows").mkdir(parents=True)
    (work / ".github" / "workflows" / "regrade.yml").write_text("on: push\n")


def own_gymboard(work: Path) -> None:
    """A copy of the board's script that would print a level."""
    (work / ".ci" / "preview").write_text("#!/bin/sh\ntouch owned\necho regraded\n")


def swapped(work: Path) -> None:
    (work / "submissions" / ENTRY / "house-price.tar.zst").write_bytes(b"(\xb5/\xfd nothing")


def unsigned_edit(work: Path) -> None:
    file = work / "submissions" / ENTRY / "bundle.json"
    file.write_bytes(file.read_bytes().replace(b'"baseline"', b'"genius"', 1))


def ledger_edit(work: Path) -> None:
    (work / "submissions" / "ledger.jsonl").write_text('{"kind": "regrade"}\n')


def signature_of_another(work: Path) -> None:
    """Made by the author's own key, in the board's namespace, over another entry of hers."""
    folder, another = work / "submissions" / ENTRY, work.parent / "another"
    shutil.copytree(folder, another)
    data = (another / "bundle.json").read_bytes()
    (another / "bundle.json").write_bytes(data.replace(b'"id": "tiny"', b'"id": "another"', 1))
    stock_sign(another, make_demo_key(work.parent / "keys"))
    shutil.move(another / "bundle.json.sig", folder / "bundle.json.sig")


def anothers_key(work: Path) -> None:
    stock_sign(work / "submissions" / ENTRY, make_demo_key(work.parent / "strangers"))


def anothers_name(work: Path) -> None:
    """Somebody else's bundle and signature, whole, by a pull request of an author who is not its submitter."""
    folder, key = work / "submissions" / ENTRY, make_demo_key(work.parent / "strangers")
    file = folder / "bundle.json"
    file.write_bytes(file.read_bytes().replace(f"github:{NUMBER}".encode(), b"github:99", 1))
    stock_sign(folder, key)


def own_list(work: Path) -> None:
    """A list that revokes somebody else's key, or would take the board's own out."""
    (work / "submissions" / "revoked").write_text("# nobody's key\n")


def own_party(work: Path) -> None:
    (work / "submissions" / "parties.toml").write_text('schema_version = 1\n[[party]]\nname = "me"\n')


def shell_name(work: Path) -> None:
    (work / "submissions" / ENTRY).rename(work / "submissions" / "$(touch owned)")


@pytest.mark.parametrize(
    ("change", "said", "executes"),
    [
        (workflow_edit, "GB407", True),
        (own_gymboard, "GB407", True),
        (swapped, "payload", False),
        (unsigned_edit, "signature", False),
        (signature_of_another, "signature", False),
        (anothers_key, "signature", False),
        (anothers_name, "signature", False),
        (ledger_edit, "GB401", True),
        (own_list, "GB401", True),
        (own_party, "GB401", True),
        (shell_name, "GB403", False),
    ],
)
def test_a_hostile_pull_request_is_refused_by_name(
    board: Board, packed: Path, change: Callable[[Path], None], said: str, executes: bool
) -> None:
    """`executes`: the entry itself is sound, so its artifact is graded in its container; nothing else ever runs."""
    board.propose(packed, change)
    failed, log = board.preview()
    assert failed is not None and said in log, log
    assert ("regrade" in (board.called() if board.calls.exists() else ())) == executes
    assert not list(board.folder.rglob("owned"))


def test_a_revoked_key_lets_nothing_in(board: Board, packed: Path) -> None:
    (board.work / "submissions" / "revoked").write_text(board.key.with_suffix(".pub").read_text())
    board._commit("a key was lost")
    git(board.work, "push", "--quiet", str(board.origin), "main")
    board.propose(packed, lambda work: None)
    failed, log = board.preview()
    assert failed is not None and "revokes the key SHA256:" in log and "GB110" in log, log
    assert "regrade" not in board.called()


def test_main_that_moves_on_while_it_is_settled_loses_nothing(board: Board, packed: Path) -> None:
    board.propose(packed, lambda work: None)
    board.merge()
    jobs, grade = workflow("regrade")["jobs"], board.machine()
    assert grade.run(jobs["grade"]) is None, grade.log
    settle = board.machine()
    race = f"git -C {board.work} push --quiet {board.origin} HEAD:main"
    (board.work / "NEWS").write_text("somebody else's commit\n")
    board._commit("news")
    # Pushed after the checkout and before the push, which is therefore refused once.
    steps = [*jobs["settle"]["steps"][:1], {"run": race}, *jobs["settle"]["steps"][1:]]
    assert settle.run({"steps": steps}) is None, settle.log
    assert "main moved on" in settle.log
    assert board.ledger() == ["inclusion", "regrade", "replay"] and (board.work / "NEWS").is_file()


def test_no_expression_reaches_a_shell_and_every_action_is_pinned() -> None:
    for name in ("ci", "submission", "comment", "regrade", "publish", "images"):
        for job in workflow(name)["jobs"].values():
            for step in job.get("steps", ()):
                assert "${{" not in step.get("run", ""), (name, step)
                assert "uses" not in step or len(step["uses"].partition("@")[2]) == 40, (name, step["uses"])
    assert os.access(STANDINS / "gh", os.X_OK)
