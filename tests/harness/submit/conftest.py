"""Fixtures: a GitHub on loopback with one account, and a signed entry of that account."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.pack import pack
from harness.schema.digest import folder_sha256
from harness.schema.task import load_tasks
from harness.signing import make_demo_key, sign
from harness.submit.line import Target, submit
from harness.submit.proposal import Proposal, propose
from harness.submit.pull import Outcome
from harness.submit.server import Server, find_token
from tests.harness.sign.builder import ENTRY, SUBMITTER, write_run, write_tasks
from tests.harness.submit.github import BOARD, Account, GitHub, serving

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Submitter:
    """A person at her machine: her entry, her key, her account, and what she was told."""

    github: GitHub
    account: Account
    tasks: Path
    run: Path
    key: Path
    entry: Path
    told: list[str]

    def pack(self, *, location: str | None = None) -> None:
        """The entry anew, signed; a run that is changed in between makes another one."""
        for file in self.entry.glob("*"):
            file.unlink()
        pack(self.run, self.entry, ENTRY, SUBMITTER, tasks=self.tasks, location=location)
        sign(self.entry, self.key)

    def change(self) -> None:
        """The same run with another note in a log, packed and signed again."""
        patch = self.run / "tiny-play" / "seed-0" / "workspace.patch"
        patch.write_text(patch.read_text() + "+more\n")
        self.pack()

    def proposal(self) -> Proposal:
        return propose(self.entry, "https://example.org/release", root=self.tasks)

    def submit(self, *, again: bool = False, board: str = BOARD) -> Outcome:
        server = Server.at(self.github.web)
        target = Target(server, board, again)
        return submit(self.proposal(), target, find_token(server), load_tasks(self.tasks), self.told.append)

    def files(self, ref: str) -> dict[str, str]:
        """path -> digest of everything in a commit."""
        lines = self.github.store.git("ls-tree", "-r", ref).splitlines()
        return {line.split("\t")[1]: line.split()[2] for line in lines}


@pytest.fixture
def submitter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Submitter]:
    tasks = write_tasks(tmp_path / "tasks")
    digests = {folder.name: folder_sha256(folder) for folder in tasks.iterdir()}
    run = write_run(tmp_path / "runs" / "tiny-run", tasks_sha256=digests)
    key = make_demo_key(tmp_path / "keys")
    github = GitHub(tmp_path)
    published = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    account = Account("ada", 1234, TOKEN, keys=["ssh-rsa AAAAB3NzaC1yc2E=", published])
    github.accounts = {"ada": account, "bob": Account("bob", 99, "ghp_of-bob")}
    with serving(github, tmp_path) as certificate:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        monkeypatch.setenv("NO_PROXY", "localhost")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setattr("harness.submit.fork.FIRST_WAIT_S", 0.01)
        person = Submitter(github, account, tasks, run, key, tmp_path / "tiny-entry", [])
        person.pack()
        yield person


@pytest.fixture
def stranger(submitter: Submitter) -> Submitter:
    """Somebody else with the same entry in her hands."""
    return dataclasses.replace(submitter, account=submitter.github.accounts["bob"])
