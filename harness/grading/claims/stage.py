"""The folders of one claims grade. Takes a GradeJob, gives a temporary Stage with the tokens of one split.

The artifact lies there twice: the audited player gets a copy that no earlier process could open, because a lock on a
shared file, or a page of it dropped from the cache, would carry what the first player learned to the second.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import GradingError
from harness.grading.base import GradeJob
from harness.grading.claims.runtime import AUDITED, CLAIMANT, TOKENS
from harness.grading.play.stage import RUNTIME as PLAY_RUNTIME
from harness.grading.play.stage import Stage, copied, sources
from harness.sandbox.base import Caps
from harness.sandbox.owner import folder_prefix

RUNTIME = Path(__file__).parent / "runtime"
REFEREE = b"from gymclaims.referee import play\n"
PIDS = 256


@contextmanager
def staged_claims(job: GradeJob) -> Iterator[Stage]:
    """Copy runtime, referee, tokens and the artifact (twice). Raises GradingError when the tokens are not there."""
    with tempfile.TemporaryDirectory(prefix=folder_prefix(), ignore_cleanup_errors=True) as made:
        root = Path(made)
        root.chmod(0o755)
        copied(sources(RUNTIME), root / "runtime" / "gymclaims")
        yield Stage(
            runtime=copied(sources(PLAY_RUNTIME), root / "runtime" / "gymplay").parent,
            grader=copied({"referee.py": REFEREE}, root / "grader"),
            players={name: copied(job.artifact, root / name) for name in (CLAIMANT, AUDITED)},
            late=(AUDITED,),
            data=_tokens(job, root / "data"),
            player_caps=Caps(job.task.limits.memory_mib, job.task.limits.cpus, PIDS),
        )


def _tokens(job: GradeJob, folder: Path) -> Path:
    found = job.grader_data / f"{job.split}.bin" if job.grader_data else None
    if found is None or not found.is_file():
        raise GradingError(f"{job.task.id}: no {job.split}.bin; prepare its data (gymboard data prepare {job.task.id})")
    folder.mkdir(mode=0o755)
    shutil.copyfile(found, folder / TOKENS)
    (folder / TOKENS).chmod(0o644)
    return folder
