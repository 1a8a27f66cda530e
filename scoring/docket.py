"""Docket: the runs that wait for a regrade on main, and the verdicts that were drawn for their bytes before.

Takes the folder of submissions with its ledger, gives names, and fills a verdict cache from the published verdicts, so
that bytes which were graded once are not drawn again. Never runs an artifact, never reads a pull request's cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import GymboardError
from harness.schema.bundle import Bundle
from harness.schema.digest import folder_sha256
from harness.schema.task import load_tasks, tasks_root
from harness.signing import BUNDLE, SIGNATURE
from harness.verdict_cache import VerdictCache, VerdictKey
from scoring.facts.check import check_bundle, read_verdicts
from scoring.facts.evidence import MAX_BUNDLE_BYTES, read_plain, standings
from scoring.ledger import LEDGER, LedgerLine, Verdicts, read_ledger

ENGINE = "docker"
"""The only engine whose verdicts come into the ledger."""
SETTLED = ("regrade", "downgrade", "removal")


def waiting(submissions: Path) -> tuple[str, ...]:
    """Signed runs of the docker sandbox about whose exact bytes the ledger has decided nothing since they came in.

    A disagreement is a decision too (a downgrade): another push draws no other seed for it. Raises VerificationError on
    a broken chain; a folder that cannot be read waits too, so that whoever grades it says why.
    """
    decided = _decided(read_ledger(submissions / LEDGER))
    signed = sorted(file.parent for file in submissions.glob(f"*/{SIGNATURE}"))
    return tuple(folder.name for folder in signed if _waits(folder, decided))


def unreplayed(submissions: Path, root: Path | None = None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Regraded entries, with those tasks that the job on main should have replayed and of which the ledger has no
    finding. A finished program is never among them. Raises VerificationError on a broken chain."""
    tasks = load_tasks(root or tasks_root())
    lines = read_ledger(submissions / LEDGER)
    for entry, bundles in sorted(standings(lines, submissions).items()):
        file = submissions / entry / BUNDLE
        data = read_plain(str(file), MAX_BUNDLE_BYTES) if file.is_file() else b""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in bundles or not bundles[sha256].verdicts:
            continue
        bundle = Bundle.from_json(data, subject=entry)
        found = {one.task for line in lines if line.bundle_sha256 == sha256 for one in line.replays or ()}
        left = {e.task for e in bundle.episodes if any(attempt.artifact_sha256 for attempt in e.attempts)}
        due = {task for task in left - found if task in tasks and tasks[task].replay == "ci"}
        if due and "command" not in (bundle.declares or ()):
            yield entry, tuple(sorted(due))


def _decided(ledger: Sequence[LedgerLine]) -> frozenset[tuple[str | None, str | None]]:
    newest = {(line.entry, line.bundle_sha256): line.kind for line in ledger if line.kind in (*SETTLED, "inclusion")}
    return frozenset(bundle for bundle, kind in newest.items() if kind in SETTLED)


def _waits(folder: Path, decided: frozenset[tuple[str | None, str | None]]) -> bool:
    if folder.is_symlink():
        return False
    try:
        data = read_plain(str(folder / BUNDLE), MAX_BUNDLE_BYTES)
        if (folder.name, hashlib.sha256(data).hexdigest()) in decided:
            return False
        bundle = check_bundle(data, folder.name)
    except (GymboardError, OSError):
        return True
    return bundle.origin == "run" and bundle.sandbox == ENGINE


def recall(submissions: Path, cache: Path, root: Path | None = None) -> int:
    """Put every verdict of the ledger that a grade of today could repeat into `cache`, the first of each artifact and
    grader version; gives how many. Raises VerificationError, GymboardError."""
    kept, folders, count = VerdictCache(cache), root or tasks_root(), 0
    tasks = load_tasks(folders)
    digests = {name: folder_sha256(folders / name) for name in tasks}
    for bundle, document in _published(submissions):
        for found in document.verdicts:
            version = found.verdict.grader_version
            if found.task not in tasks or tasks[found.task].grader.version != version:
                continue
            key = VerdictKey(found.artifact_sha256, digests[found.task], version, bundle.profile, ENGINE)
            kept.put(key, found.verdict)
            count += 1
    return count


def _published(submissions: Path) -> Iterator[tuple[Bundle, Verdicts]]:
    """Every regrade whose bundle is still there, in the ledger's order."""
    for line in read_ledger(submissions / LEDGER):
        if line.verdicts_sha256 is None or line.entry is None:
            continue
        file = submissions / line.entry / BUNDLE
        if not file.is_file():
            continue
        data = read_plain(str(file), MAX_BUNDLE_BYTES)
        if hashlib.sha256(data).hexdigest() != line.bundle_sha256:
            continue
        yield Bundle.from_json(data, subject=line.entry), read_verdicts(submissions, line.verdicts_sha256)
