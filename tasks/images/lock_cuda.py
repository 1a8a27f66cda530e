"""Makes a family's requirements-cuda.txt: `python tasks/images/lock_cuda.py torch|jax`, on Linux x86-64, Python 3.11.

Takes requirements-cuda.in and requirements.txt; what stands in the latter keeps its version and hashes, what the GPU
needs beside it is resolved by pip and pinned by the digest of this platform's one wheel. Downloads no wheel.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+) \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.MULTILINE)
HEADER = """\
# The family {family} on a GPU, in the place of requirements.txt: the same packages and versions, and CUDA's.
# Made by tasks/images/lock_cuda.py {family}; for Linux x86-64 and Python 3.11.
"""


def main(family: str) -> None:
    folder = Path(__file__).parent / family
    known = {match[1]: match for match in ENTRY.finditer((folder / "requirements.txt").read_text(encoding="utf-8"))}
    with tempfile.TemporaryDirectory() as made:
        constraints, report = Path(made) / "constraints.txt", Path(made) / "report.json"
        constraints.write_text("".join(f"{name}=={match[2]}\n" for name, match in known.items()), encoding="utf-8")
        words = ["install", "--dry-run", "--quiet", "--ignore-installed", "--only-binary", ":all:"]
        files = ["-r", str(folder / "requirements-cuda.in"), "-c", str(constraints), "--report", str(report)]
        subprocess.run([sys.executable, "-m", "pip", *words, *files], check=True)
        resolved = json.loads(report.read_text(encoding="utf-8"))["install"]
    entries = dict(map(entry, resolved)) | {name: match[0] for name, match in known.items()}
    text = HEADER.format(family=family) + "".join(entries[name] for name in sorted(entries))
    (folder / "requirements-cuda.txt").write_text(text, encoding="utf-8")
    added = sorted(entries.keys() - known.keys())
    print(f"{family}: {len(known)} packages as in requirements.txt, {len(added)} more: {', '.join(added)}")


def entry(package: dict) -> tuple[str, str]:
    """A resolved package's name and its entry in the lock."""
    name = re.sub(r"[-_.]+", "-", package["metadata"]["name"]).lower()
    digest = package["download_info"]["archive_info"]["hashes"]["sha256"]
    return name, f"{name}=={package['metadata']['version']} \\\n    --hash=sha256:{digest}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
