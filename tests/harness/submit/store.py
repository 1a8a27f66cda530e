"""The git side of the stand-in: one bare repository for board and forks, as GitHub keeps them, each with own refs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "stand-in"), ("EMAIL", "standin@example.org"))
}


class Missing(Exception):
    """There is no such object or ref."""


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--bare", str(folder))

    def git(self, *words: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        place = {"GIT_DIR": str(self.folder), "GIT_CONFIG_GLOBAL": "/dev/null", **IDENTITY, **(env or {})}
        done = subprocess.run(["git", *words], input=data, capture_output=True, env=os.environ | place, check=False)
        if done.returncode != 0:
            raise Missing(done.stderr.decode())
        return done.stdout.decode().strip()

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=data)

    def tree(self, nodes: Sequence[Mapping[str, Any]], base: str | None) -> str:
        """Single-level names only: each replaces what `base` has under it."""
        lines = self.git("ls-tree", base).splitlines() if base else []
        kept = [line for line in lines if line.split("\t", 1)[1] not in {node["path"] for node in nodes}]
        added = [f"{node['mode']} {node['type']} {node['sha']}\t{node['path']}" for node in nodes]
        return self.git("mktree", data="\n".join([*kept, *added, ""]).encode())

    def commit(self, message: str, tree: str, parents: Sequence[str]) -> str:
        words = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *words, "-m", message)

    def ref(self, name: str) -> str:
        return self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def set_ref(self, name: str, sha: str) -> None:
        self.git("update-ref", name, sha)

    def put(self, ref: str, files: Mapping[str, bytes | None], message: str = "change") -> str:
        """A commit on a ref (a root commit when there is none) with these paths changed; None: removed."""
        with tempfile.TemporaryDirectory() as place:
            env = {"GIT_INDEX_FILE": f"{place}/index"}
            try:
                parents = [self.ref(ref)]
                self.git("read-tree", parents[0], env=env)
            except Missing:
                parents = []
            for path, data in files.items():
                if data is None:
                    self.git("update-index", "--force-remove", path, env=env)
                else:
                    self.git("update-index", "--add", "--cacheinfo", f"100644,{self.blob(data)},{path}", env=env)
            tree = self.git("write-tree", env=env)
        commit = self.commit(message, tree, parents)
        self.set_ref(ref, commit)
        return commit

    def checkout(self, tree: str, folder: Path) -> Path:
        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory() as place:
            env = {"GIT_INDEX_FILE": f"{place}/index", "GIT_WORK_TREE": str(folder)}
            self.git("read-tree", tree, env=env)
            self.git("checkout-index", "--all", f"--prefix={folder}/", env=env)
        return folder
