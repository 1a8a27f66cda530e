"""A small task with one source, whose data.py splits the file's lines."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from harness.schema.task import Profile, Source, TaskSpec, load_task

ROOT = Path(__file__).resolve().parents[3]
LINES = b"".join(b"line %d\n" % number for number in range(200_000))
SCRIPT = """
import argparse, os, pathlib, sys
parser = argparse.ArgumentParser()
for name in ("profile", "source", "out", "params"):
    parser.add_argument("--" + name)
args = parser.parse_args()
out = pathlib.Path(args.out)
(out / "agent").mkdir()
(out / "grader").mkdir()
source = pathlib.Path(args.source) / "lines.txt"
lines = source.read_text().splitlines() if args.profile == "official" else ["generated"]
(out / "agent" / "inputs.csv").write_text(chr(10).join(lines))
(out / "grader" / "labels.csv").write_text(args.params)
"""


def source(urls: tuple[str, ...] = (), data: bytes = LINES) -> Source:
    return Source(
        name="lines.txt",
        mirror="here.txt",
        urls=urls,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )


def small_task(folder: Path, pinned: Source, script: str = SCRIPT) -> TaskSpec:
    """house-price's declaration with this source and this script, in `folder`."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "tasks/house-price/task.toml", folder / "task.toml")
    (folder / "data.py").write_text(script)
    spec = load_task(ROOT / "tasks/house-price")
    profiles = {"official": Profile(params={"rows": 3}), "smoke": Profile(params={"rows": 1})}
    return spec.model_copy(update={"sources": (pinned,), "profiles": profiles})
