"""A checkout of its own, so that a test may add tasks the way a person does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("gymboard.py", "pyproject.toml", "CONTRIBUTING.md", "harness", "scoring", "tasks")


@dataclass(frozen=True)
class Checkout:
    """`sh` runs a script with `gymboard` being this checkout's."""

    folder: Path

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        shim = self.folder / "bin" / "gymboard"
        if not shim.exists():
            shim.parent.mkdir()
            shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gymboard "$@"\n')
            shim.chmod(0o755)
        env = os.environ | {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(self.folder)}
        words = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(words, cwd=self.folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder = tmp_path / "checkout"
    folder.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    return Checkout(folder)
