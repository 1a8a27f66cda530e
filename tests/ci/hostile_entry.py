"""An entry of the suite's own prisoner's dilemma as a pull request brings it, and the preview of it; no engine needed.

Takes a folder, gives a board, a proposal whose one entry is sound, and the means to spoil it as its submitter could: by
whatever bytes, signed with her own key. The preview is the board's script with the real command behind it; only a
regrade, which would need an engine, is noted and not done.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.pack import pack
from harness.schema.base import canonical_bytes
from harness.schema.bundle import Entry
from harness.schema.digest import folder_sha256
from harness.signing import make_demo_key, sign
from tests.ci.actions import ROOT
from tests.harness.sign.builder import stock_sign, strategy, verdict, write_episode, write_run

TASK, NAME, SUBMITTER = "prisoners-dilemma", "tiny", "github:1234"
PART = f"{TASK}.tar.zst"
COMMAND = """#!/bin/sh
echo "$1" >>"$CALLS"
case $1 in "$UNDONE") exit 0 ;; esac
PYTHONPATH=$CODE exec "$PYTHON" -m gymboard "$@"
"""


def entry_of(place: Path, artifact: dict[str, bytes], value: float, *, seeds: int = 1, **about: Any) -> Path:
    """A packed and signed entry that hands in the same artifact for every seed; `about` goes to its Entry."""
    run = place / "runs" / "r"
    profile = "smoke" if seeds == 1 else "official"
    for seed in range(seeds):
        sealed = verdict("mean_payoff", value, stderr={"mean_payoff": 0.01}, n=5000, seed="ab" * 32)
        write_episode(run, TASK, seed, [(artifact, sealed)])
    folder = ROOT / "tasks" / TASK
    write_run_of(run, seeds, folder_sha256(folder))
    entry = Entry(**{"id": NAME, "agent": "baseline", "agent_version": "1.0.0", "date": "2026-11-20", **about})
    pack(run, place / NAME, entry, SUBMITTER)
    assert profile == "smoke" or seeds == 4
    return place / NAME


def write_run_of(run: Path, seeds: int, digest: str) -> None:
    """The manifest alone: the builder's own episodes are of tasks that the suite does not have."""
    manifest = write_run(run.parent / "manifest", tasks=(TASK,), seeds=tuple(range(seeds)), tasks_sha256={TASK: digest})
    shutil.copy(manifest / "run.json", run / "run.json")
    tree = json.loads((run / "run.json").read_bytes())
    (run / "run.json").write_bytes(canonical_bytes({**tree, "run": run.name}))


class Pull:
    """A board with an entry and a ledger, and a pull request that adds `tiny`."""

    def __init__(self, folder: Path, key: Path, entry: Path) -> None:
        self.folder, self.key = folder, key
        self.ours, self.theirs = folder / "board/submissions", folder / "proposed/submissions"
        command = folder / "board/.venv/bin/gymboard"
        for made in (command.parent, folder / "board/.ci", self.ours / "first"):
            made.mkdir(parents=True)
        shutil.copy(ROOT / ".ci/preview", folder / "board/.ci/preview")
        command.write_text(COMMAND)
        command.chmod(0o755)
        (self.ours / "first" / "bundle.json").write_text("{}")
        (self.ours / "ledger.jsonl").write_text("")
        shutil.copytree(self.ours, self.theirs)
        self.entry = self.theirs / NAME
        shutil.copytree(entry, self.entry)
        public = key.with_suffix(".pub").read_text()
        (folder / "signers").write_text(f'{SUBMITTER} namespaces="gymboard-bundle@v1" {public}')

    def publish(self, entry: Path, name: str, submitter: str, **about: str) -> None:
        """On the board, and in what the pull request was made from. Nobody checks there who signed."""
        tree = json.loads((entry / "bundle.json").read_bytes())
        tree |= {"submitter": submitter, "entry": tree["entry"] | {"id": name} | about}
        for side in (self.ours, self.theirs):
            (side / name).mkdir()
            (side / name / "bundle.json").write_bytes(canonical_bytes(tree))

    def sign(self, key: Path | None = None) -> None:
        stock_sign(self.entry, key or self.key)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """bundle.json as its submitter may change it, signed again."""
        tree = json.loads((self.entry / "bundle.json").read_bytes())
        change(tree)
        (self.entry / "bundle.json").write_bytes(canonical_bytes(tree))
        self.sign()

    def put_part(self, data: bytes) -> None:
        """Another payload part, stated truly and signed."""
        (self.entry / PART).write_bytes(data)
        stated = {"name": PART, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        self.edit(lambda tree: tree.update(payload=[stated]))

    def preview(self, *, undone: str = "regrade") -> tuple[int, str, list[str]]:
        """Exit code, everything printed, and the commands that were called; `undone` is noted only."""
        calls = self.folder / "calls"
        words = ["board/.ci/preview", "board/submissions", "proposed/submissions", "signers", "found"]
        env = os.environ | {"CALLS": str(calls), "CODE": str(ROOT), "PYTHON": sys.executable, "UNDONE": undone}
        done = subprocess.run(words, cwd=self.folder, env=env, capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, done.stdout + done.stderr, calls.read_text().split() if calls.exists() else []


def keys(place: Path) -> tuple[Path, Path]:
    """The submitter's key and a stranger's."""
    return make_demo_key(place / "keys"), make_demo_key(place / "other")


def honest(place: Path, key: Path, **about: Any) -> Path:
    entry = entry_of(place, strategy(1), 2.6, **about)
    sign(entry, key)
    return entry
