"""publish.yml's build job, step by step: no site is built on a ledger that does not continue the published one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scoring.ledger import append_line
from tests.ci.actions import ROOT, Machine, workflow

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, which GitHub's machines have")
ABOUT = {"time": "2026-11-20T12:00:00Z", "entry": "an-entry", "bundle_sha256": "ab" * 32, "kind": "inclusion"}
CHECK = "the ledger continues the published one"


class Site:
    """A board's repository, a public site with a copy of its ledger, and GitHub's record of deployments."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work, self.github = folder, folder / "work", folder / "github"
        self.ledger, self.runs = self.work / "submissions" / "ledger.jsonl", 0
        self.ledger.parent.mkdir(parents=True)
        self.github.mkdir()
        shutil.copytree(ROOT / ".ci", self.work / ".ci")
        (self.work / ".gitignore").write_text(".venv/\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.ledger.write_text("")
        self.add("first", "second")
        self.deployments({})

    def git(self, *words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, "-C", str(self.work), *words], check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")

    def add(self, *reasons: str) -> None:
        for reason in reasons:
            append_line(self.ledger, {**ABOUT, "reason": reason})
            self.commit()

    def deployments(self, states: dict[str, list[str]]) -> None:
        (self.github / "deployments.json").write_text(json.dumps(states))

    def publish(self) -> None:
        """The site has today's ledger, as the download that scoring writes."""
        (self.github / "published.jsonl").write_bytes(self.ledger.read_bytes())
        self.deployments({"12": ["failure"], "11": ["inactive", "success"]})

    def build(self) -> tuple[str | None, str]:
        self.runs += 1
        place = self.folder / f"machine-{self.runs}"
        values = {"github.token": "token", "github.repository": "board/gymboard"}
        env = {"GITHUB": str(self.github), "BOARD": "board/gymboard", "CALLS": str(self.folder / "calls")}
        env |= {"CODE": str(ROOT), "PYTHON": sys.executable}
        machine = Machine(place, self.work, values, env, self.folder / "artifacts")
        failed = machine.run(workflow("publish")["jobs"]["build"])
        assert (self.folder / "artifacts" / "pages").is_dir() == (failed is None)
        return failed, machine.log


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_first_site_and_one_that_continues_are_built(site: Site) -> None:
    failed, log = site.build()
    assert failed is None and "no site was ever published" in log, log
    shutil.rmtree(site.folder / "artifacts")
    site.publish()
    site.add("third", "fourth", "fifth")
    failed, log = site.build()
    assert failed is None and "of 2 line(s)" in log, log
    address, evidence = (site.folder / "artifacts" / "pages" / "address").read_text().split()
    assert re.fullmatch(r"https://[a-z./-]+/", address), "where the site itself will lie"
    commit = subprocess.run(["git", "-C", str(site.work), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert evidence.endswith(f"/board/gymboard/{commit.strip()}/submissions"), "the four lines download from there"


def test_a_line_that_was_taken_out_long_before_the_last_commit_is_missed(site: Site) -> None:
    site.add("a removal")
    site.publish()
    site.ledger.write_text("".join(site.ledger.read_text().splitlines(keepends=True)[:2]))
    site.commit()
    (site.work / "NEWS").write_text("something else\n")
    site.commit()
    failed, log = site.build()
    assert failed == CHECK and "1 line(s) that there were are missing at its end" in log, log


def test_a_rewritten_branch_is_seen_too(site: Site) -> None:
    """A force push: every commit of the new branch is sound, and the published lines are not its own."""
    site.publish()
    site.git("checkout", "--quiet", "--orphan", "other")
    site.ledger.write_text("")
    site.add("first", "another second", "third")
    site.git("branch", "--force", "main", "other")
    failed, log = site.build()
    assert failed == CHECK and "the history was rewritten" in log, log


def test_a_site_that_cannot_be_asked_is_no_first_site(site: Site) -> None:
    site.publish()
    (site.github / "published.jsonl").unlink()
    assert site.build()[0] == CHECK
    (site.github / "deployments.json").unlink()
    assert site.build()[0] == CHECK
