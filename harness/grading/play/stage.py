"""The folders that the containers of one grade mount: copies, readable by the grader's unprivileged user.

Takes a GradeJob, gives a temporary Stage that is removed afterwards; never puts the seed on disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import GradingError
from harness.grading.base import Artifact, GradeJob
from harness.sandbox.base import Caps
from harness.sandbox.owner import folder_prefix

RUNTIME = Path(__file__).parent / "runtime"
OURS = "starter"
"""The one player that is not the artifact: its failure is our own."""
PLAYER_CAPS = Caps(memory_mib=2048, cpus=1.0, pids=256)


@dataclass(frozen=True)
class Stage:
    """`runtime` holds the package gymplay; `players` maps each player's name, in seating order, to its artifact.

    `late`: players that start only when the referee admits them. `data`: what the referee alone sees, beside `grader`.
    """

    runtime: Path
    grader: Path
    players: Mapping[str, Path]
    late: tuple[str, ...] = ()
    data: Path | None = None
    player_caps: Caps = PLAYER_CAPS


@contextmanager
def staged(job: GradeJob) -> Iterator[Stage]:
    """Copy runtime, grader and artifacts to a fresh temporary folder. The candidate is seated last.

    When this process is killed, the next engine that opens removes the folder.
    """
    with tempfile.TemporaryDirectory(prefix=folder_prefix(), ignore_cleanup_errors=True) as made:
        root = Path(made)
        root.chmod(0o755)
        copied(sources(RUNTIME), root / "runtime" / "gymplay")
        copied(sources(job.folder / "grader"), root / "grader")
        players = {}
        if job.task.grader.relative_to_starter:
            players[OURS] = copied(_reference(job), root / "starter")
        players["candidate"] = copied(job.artifact, root / "candidate")
        yield Stage(root / "runtime", root / "grader", players)


def _reference(job: GradeJob) -> Artifact:
    folder = job.folder / "grader" / "reference"
    missing = [file.path for file in job.task.artifact if not (folder / file.path).is_file()]
    if missing:
        raise GradingError(f"{job.task.id}: grader/reference/ lacks {', '.join(missing)}")
    return {file.path: (folder / file.path).read_bytes() for file in job.task.artifact}


def sources(folder: Path) -> dict[str, bytes]:
    """The modules of a folder; sub-folders (oracle, reference) are no part of the program."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def copied(files: Artifact, folder: Path) -> Path:
    """Write the files below `folder`, readable for everybody; gives the folder."""
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for path in (folder.parent, folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
